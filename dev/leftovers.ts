import { isAlive, type ProcessIdentity } from "./process-identity.ts";
import { waitUntil } from "./wait.ts";

/** Services drain on SIGTERM; stores stop on SIGINT, which tells PostgreSQL not to wait for clients. */
export type Role = "service" | "store";

/** A process of a platform that may outlive its launcher. */
export interface Leftover extends ProcessIdentity {
  readonly name: string;
  readonly role: Role;
}

/** A drain is not worth much any more: whoever sent the requests has seen the launcher die. */
const patienceMs = { service: 10_000, store: 10_000 } as const;

/** Ends processes of a platform whose launcher is dead: services first, then the stores they use. */
export async function endLeftovers(processes: readonly Leftover[]): Promise<void> {
  for (const role of ["service", "store"] as const) {
    const group = processes.filter((process) => process.role === role);
    for (const process of group) send(process, role === "service" ? "SIGTERM" : "SIGINT");
    const gone = () => !group.some(isAlive);
    const options = { what: `ending the ${role}s`, signal: new AbortController().signal };
    await waitUntil(gone, { ...options, deadlineMs: patienceMs[role] }).catch(() => {
      for (const process of group) send(process, "SIGKILL");
    });
    await waitUntil(gone, { ...options, deadlineMs: 5_000 });
  }
}

function send(process: Leftover, signal: NodeJS.Signals): void {
  if (!isAlive(process)) return;
  try {
    globalThis.process.kill(process.pid, signal);
  } catch {
    // ended by itself in between
  }
}
