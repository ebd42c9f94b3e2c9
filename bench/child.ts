import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { serviceFlags } from "../dev/service-flags.ts";

/**
 * Starts a script of the bench in a process of its own, as the services are started, and waits for its
 * first message.
 */
export async function startChild<T>(
  script: string,
  ...args: readonly string[]
): Promise<{ process: ChildProcess; pid: number; message: T }> {
  const child = fork(join(import.meta.dirname, script), args, {
    stdio: "inherit",
    execArgv: [...process.execArgv, ...serviceFlags],
  });
  const message = await nextMessage<T>(child);
  return { process: child, pid: child.pid ?? 0, message };
}

/** @throws when the process ends instead */
export function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a process ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (message: T) => {
      child.off("exit", onExit);
      resolve(message);
    });
  });
}
