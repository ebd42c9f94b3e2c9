import { join } from "node:path";
import { startGuard } from "./guard.ts";
import { type ManagedProcess, manageProcess, type ProcessOptions } from "./process.ts";
import { claimPlatformDir } from "./run-record.ts";

/** All processes of one platform, from the first start to the last stop. */
export interface Platform {
  /** Makes a process part of the platform: it is recorded while it runs and stopped with the rest. */
  manage(options: ProcessOptions): ManagedProcess;
  /** Calls back, at once and whenever a process of the platform has another pid, until the stop begins. */
  follow(changed: () => void): void;
  /** Stops all: the gateway drains first, then the services behind it, then the stores. */
  stop(): Promise<void>;
  /** Ends all at once. */
  hurry(): void;
}

/** Takes a folder for a platform. {@link claimPlatformDir} says when that fails. */
export async function openPlatform(
  platformDir: string,
  report: (line: string) => void,
): Promise<Platform> {
  const record = await claimPlatformDir(platformDir, report);
  const guard = startGuard(join(platformDir, "platform.json"));
  const processes: ManagedProcess[] = [];
  let follower = () => {};

  function changed(): void {
    const running = processes.flatMap(({ name, role, pid }) => (pid ? [{ name, role, pid }] : []));
    const pids = (role: string) => running.filter((one) => one.role === role).map(({ pid }) => pid);
    guard.watch({ services: pids("service"), stores: pids("store") });
    record.update(running);
    follower();
  }

  return {
    manage(options) {
      const process = manageProcess(options, { changed, report });
      processes.push(process);
      return process;
    },
    follow(listener) {
      follower = listener;
      listener();
    },
    async stop() {
      follower = () => {};
      const isGateway = ({ name }: ManagedProcess) => name === "gateway";
      const isService = (one: ManagedProcess) => one.role === "service" && !isGateway(one);
      const isStore = ({ role }: ManagedProcess) => role === "store";
      for (const group of [isGateway, isService, isStore])
        await Promise.all(processes.filter(group).map((process) => process.stop()));
      guard.dismiss();
      record.release();
    },
    hurry() {
      for (const process of processes) process.hurry();
    },
  };
}
