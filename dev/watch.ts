import { dirname, join, sep } from "node:path";
import { filesBehind } from "./import-graph.ts";
import type { ManagedProcess } from "./process.ts";
import { watchFolder } from "./watch-folder.ts";

/** An editor or a checkout writes several files at once. */
const quietMs = 150;
/** Whoever edits does not want to wait for open streams to drain. */
const killAfterMs = 3_000;

/** Starts a service again when a file that it is made of has changed; the others go on serving. */
export function watchSources(
  root: string,
  services: readonly ManagedProcess[],
  report: (line: string) => void,
): { close(): void } {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let restarts: Promise<unknown> = Promise.resolve();

  function note(file: string): void {
    if (file.endsWith(".test.ts")) return;
    changed.add(file);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const files = [...changed];
      changed.clear();
      restarts = restarts.then(() => restartAffected(files));
    }, quietMs);
  }

  async function restartAffected(files: readonly string[]): Promise<void> {
    const affected = services.filter((service) => {
      const main = join(root, service.name, "src", "main.ts");
      const behind = filesBehind(main, root);
      return files.some((file) => behind.has(file) || isRead(file, main));
    });
    await Promise.all(
      affected.map((service) => {
        report(`${service.name} has changed; starting it again`);
        return service.restart(killAfterMs);
      }),
    );
  }

  /** What is no module may be read by any: a service's own, or kit's by all. */
  function isRead(file: string, main: string): boolean {
    const mayRead = [dirname(main), join(root, "kit", "src")];
    return !file.endsWith(".ts") && mayRead.some((folder) => file.startsWith(folder + sep));
  }

  const folders = services.length > 0 ? ["kit", "gen", ...services.map(({ name }) => name)] : [];
  const watchers = folders.map((name) => watchFolder(join(root, name, "src"), note));
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
