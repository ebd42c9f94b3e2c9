import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Failure, failureOf } from "../api/failure.ts";
import { resume } from "../api/session.ts";
import { Alert } from "../parts/alert.tsx";

/** While it is not known who is there: right after a load, or as long as the platform does not answer. */
export function Threshold() {
  const failure = useSignal<Failure | undefined>(undefined);
  async function ask(): Promise<void> {
    failure.value = undefined;
    await resume().catch((error) => {
      failure.value = failureOf(error);
    });
  }
  useEffect(() => void ask(), []);
  return (
    <main id="main" class="threshold" tabIndex={-1} aria-busy={!failure.value}>
      <h1 class="hidden">3L1</h1>
      {failure.value ? (
        <Alert text={failure.value.message} retry={() => void ask()} />
      ) : (
        <p class="hidden" role="status">
          Loading…
        </p>
      )}
    </main>
  );
}
