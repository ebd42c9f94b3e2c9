import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { type Failure, failureOf } from "../api/failure.ts";
import { Alert } from "./alert.tsx";

export interface ConfirmProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** What the button says that does it. */
  readonly verb: string;
  /** What the button says that does not. */
  readonly refuse?: string;
  readonly danger?: boolean;
  /** Does it. The dialog stays, and tells why, when this throws. */
  readonly act: () => Promise<void>;
  /** The dialog has closed, whatever came of it. */
  readonly closed: () => void;
}

/** Asks before something that cannot be undone. A native dialog: Escape closes it, and the focus goes back. */
export function Confirm(props: ConfirmProps) {
  const { title, children, verb, refuse = "Never mind", danger = true, act, closed } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const failure = useSignal<Failure | undefined>(undefined);
  const busy = useSignal(false);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);

  async function confirm(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    failure.value = undefined;
    try {
      await act();
      dialog.current?.close();
    } catch (error) {
      failure.value = failureOf(error);
    } finally {
      busy.value = false;
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} aria-describedby={id} onClose={closed}>
      <h2 id={`${id}-title`}>{title}</h2>
      <div id={id}>{children}</div>
      {failure.value && <Alert text={failure.value.message} />}
      <div class="actions">
        <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
          {refuse}
        </button>
        <button
          type="button"
          class={danger ? "danger" : "primary"}
          aria-disabled={busy.value}
          onClick={confirm}
        >
          {busy.value ? "One moment…" : verb}
        </button>
      </div>
    </dialog>
  );
}
