import { join } from "node:path";
import { buildConsole, isConsoleFresh } from "./console-build.ts";
import type { Terminal } from "./terminal.ts";
import { watchFolder } from "./watch-folder.ts";

/** An editor or a checkout writes several files at once. */
const quietMs = 150;

export interface PrepareOptions {
  readonly terminal: Terminal;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Builds the web console where it is not there or out of date. Without it the platform is as good, so why is only told. */
export async function prepareConsole(root: string, options: PrepareOptions): Promise<void> {
  const { terminal, report, signal } = options;
  try {
    if (!isConsoleFresh(root)) await terminal.step("console", () => buildConsole(root, signal));
  } catch (error) {
    signal.throwIfAborted();
    report((error as Error).message);
  }
}

/** Builds the console again when its source has changed. The gateway finds the new one by itself. */
export function watchConsole(root: string, report: (line: string) => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let builds: Promise<void> = Promise.resolve();

  async function rebuild(): Promise<void> {
    try {
      if (isConsoleFresh(root)) return;
      await buildConsole(root);
      report("the console is built anew; load the page again");
    } catch (error) {
      report((error as Error).message);
    }
  }

  const watchers = ["web/src", "gen/src", "gen/client"].map((folder) =>
    watchFolder(join(root, folder), () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        builds = builds.then(rebuild);
      }, quietMs);
    }),
  );
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
