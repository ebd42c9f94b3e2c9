import type { Session } from "@3l1/gen/user/v1/user_pb.ts";
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { users } from "../api/clients.ts";
import { type Failure, failureOf } from "../api/failure.ts";
import { leave } from "../api/session.ts";
import { Alert } from "../parts/alert.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { Skeleton } from "../parts/page.tsx";
import { Ago } from "../parts/time.tsx";
import { toast } from "../parts/toasts.tsx";
import { deviceName } from "./device-name.ts";

const changes = signal(0);

/** Something has ended or opened sessions: the list is loaded again. */
export function sessionsChanged(): void {
  changes.value++;
}

/** Where one is logged in, and the end of it. */
export function Sessions() {
  const sessions = useSignal<readonly Session[] | undefined>(undefined);
  const failure = useSignal<Failure | undefined>(undefined);
  const leaving = useSignal(false);

  async function load(): Promise<void> {
    try {
      sessions.value = (await users.listSessions({})).sessions;
      failure.value = undefined;
    } catch (error) {
      failure.value = failureOf(error);
    }
  }
  useEffect(() => void load(), [changes.value]);

  async function revoke({ id, current }: Session): Promise<void> {
    try {
      await users.revokeSession({ id });
    } catch (error) {
      return toast(failureOf(error).message, "wrong");
    }
    if (current) return leave("You are logged out.");
    toast("That session has ended.");
    await load();
  }
  async function leaveEverywhere(): Promise<void> {
    await users.logout({ everywhere: true });
    leave("You are logged out everywhere.");
  }

  return (
    <section>
      <header class="section-head">
        <h2>Where you are logged in</h2>
        <button type="button" class="quiet" onClick={() => (leaving.value = true)}>
          Log out everywhere
        </button>
      </header>
      {failure.value && <Alert text={failure.value.message} retry={() => void load()} />}
      {sessions.value === undefined && !failure.value && <Skeleton rows={2} />}
      <ul class="rows">
        {sessions.value?.map((session) => (
          <SessionRow key={session.id} session={session} revoke={() => void revoke(session)} />
        ))}
      </ul>
      {leaving.value && (
        <Confirm
          title="Log out everywhere?"
          verb="Log out everywhere"
          refuse="Stay"
          act={leaveEverywhere}
          closed={() => (leaving.value = false)}
        >
          <p>All your sessions end at once, this one too.</p>
        </Confirm>
      )}
    </section>
  );
}

function SessionRow({ session, revoke }: { session: Session; revoke: () => void }) {
  const { device, ip, lastSeenAt, createdAt, current } = session;
  const name = deviceName(device);
  return (
    <li>
      <Icon name="device" />
      <div class="grow">
        <strong title={device}>{name}</strong>
        {current && <span class="tag">this one</span>}
        <br />
        <small>
          from {ip || "an unknown address"} · used <Ago at={lastSeenAt} /> · since{" "}
          <Ago at={createdAt} />
        </small>
      </div>
      <button
        type="button"
        class="quiet"
        aria-label={current ? "Log out here" : `End it: the session of ${name}`}
        onClick={revoke}
      >
        {current ? "Log out" : "End it"}
      </button>
    </li>
  );
}
