import { type FSWatcher, readdirSync, watch } from "node:fs";
import { join } from "node:path";

/**
 * Tells of every file that changes in a folder or below, by its path. Node's own recursive watch follows
 * files on Linux, so it loses one that an editor or git has replaced: here each folder is watched.
 */
export function watchFolder(folder: string, changed: (file: string) => void): { close(): void } {
  const watchers = new Map<string, FSWatcher>();

  function follow(path: string): void {
    if (!watchers.has(path)) {
      const watcher = watch(path, (_, name) => {
        if (name === null) return;
        followNew();
        changed(join(path, name));
      });
      watcher.on("error", () => forget(path));
      watchers.set(path, watcher);
    }
  }

  function forget(path: string): void {
    watchers.get(path)?.close();
    watchers.delete(path);
  }

  /** Folders come and go. */
  function followNew(): void {
    const now = new Set(foldersIn(folder));
    for (const path of watchers.keys()) if (!now.has(path)) forget(path);
    for (const path of now) follow(path);
  }

  followNew();
  return {
    close() {
      for (const path of [...watchers.keys()]) forget(path);
    },
  };
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const below = entries.filter((entry) => entry.isDirectory());
    return [folder, ...below.map(({ parentPath, name }) => join(parentPath, name))];
  } catch {
    return []; // it is just being replaced
  }
}
