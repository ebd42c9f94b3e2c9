import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { openPlatform } from "./platform.ts";
import { freePorts } from "./ports.ts";
import { startPostgres } from "./postgres.ts";

const run = promisify(execFile);

/**
 * Makes the data of a PostgreSQL, with the databases of the services in it, for tests to begin with a copy
 * of: a copy is there in a tenth of the time. Call it once for a run, before there are others.
 *
 * @param folder for the data; it must not exist. Whoever made it removes it
 */
export async function makeReadyCluster(folder: string, signal: AbortSignal): Promise<void> {
  const platform = await openPlatform(folder, () => {});
  const [port = 0] = await freePorts(1);
  try {
    const options = { folder: clusterIn(folder), port, manage: platform.manage, signal };
    await startPostgres(options);
  } finally {
    await platform.stop();
  }
}

/**
 * Puts a copy where {@link startPostgres} will look for data.
 *
 * @param ready what {@link makeReadyCluster} has filled; `null`: does nothing, and PostgreSQL begins from
 *   nothing
 * @param folder of the PostgreSQL that is to start; it may not have data yet
 */
export async function copyReadyCluster(ready: string | null, folder: string): Promise<void> {
  if (ready === null) return;
  if (existsSync(folder)) throw new Error(`${folder} is there already`);
  mkdirSync(folder, { recursive: true });
  // cp is faster by far than Node.js; it keeps modes and owners, and shares blocks where the disk can.
  await run("cp", ["-Rp", `${clusterIn(ready)}/.`, folder], { timeout: 60_000 });
}

/** Where {@link makeReadyCluster} keeps it. */
function clusterIn(folder: string): string {
  return join(folder, "postgres");
}
