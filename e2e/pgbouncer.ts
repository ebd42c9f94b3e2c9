import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { fetchPackages } from "../dev/debian-packages.ts";
import { openPlatform } from "../dev/platform.ts";
import { claimPorts } from "../dev/port-block.ts";
import { type Postgres, startPostgres } from "../dev/postgres.ts";
import { copyReadyCluster } from "../dev/ready-cluster.ts";
import { findUnpacked, type Program } from "../dev/unpacked-program.ts";

const root = join(import.meta.dirname, "..");
const startWithinMs = 120_000;
const stopWithinMs = 10_000;
/** It refuses to be root. */
const nobody = { uid: 65_534, gid: 65_534 };

/** A PostgreSQL, and a PgBouncer before it. */
export interface PooledPostgres extends AsyncDisposable {
  /** The superuser's, past the pooler. */
  readonly url: string;
  /** Through the pooler. */
  readonly userDatabaseUrl: string;
  readonly orderDatabaseUrl: string;
}

/**
 * The distribution's PgBouncer, unpacked and not installed.
 *
 * @throws with apt's words where there is none to fetch
 */
export async function findPgBouncer(): Promise<Program> {
  const folder = join(root, "node_modules/.cache/pgbouncer");
  const files = ["usr/sbin/pgbouncer"];
  const known = await findUnpacked(folder, files);
  if (known !== undefined) return known;
  await fetchPackages(["pgbouncer"], folder, AbortSignal.timeout(startWithinMs));
  const fetched = await findUnpacked(folder, files);
  if (fetched === undefined) throw new Error("what was fetched does not run here");
  return fetched;
}

/** Starts both, PgBouncer with the settings and PostgreSQL with the roles of deploy/pgbouncer. */
export async function startPooledPostgres({ program, env }: Program): Promise<PooledPostgres> {
  await using scope = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "3l1-pgbouncer-"));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  const { ports, release } = await claimPorts();
  scope.defer(release);
  const [postgresPort = 0, port = 0] = ports;
  const { manage, stop } = await openPlatform(folder, () => {});
  scope.defer(stop);
  const signal = AbortSignal.timeout(startWithinMs);
  const place = { folder: join(folder, "postgres"), port: postgresPort };
  await copyReadyCluster(process.env.TEST_READY_CLUSTER ?? null, place.folder);
  const server = await startPostgres({ ...place, manage, signal });
  await setRoles(server.url);

  const settings = join(folder, "pgbouncer");
  await writeSettings(settings, server, port);
  await chmod(folder, 0o755);
  const pooler = manage({
    name: "pgbouncer",
    role: "store",
    command: program,
    args: [join(settings, "pgbouncer.ini")],
    env,
    logFile: join(settings, "pgbouncer.log"),
    stopSignal: "SIGINT",
    killAfterMs: stopWithinMs,
    ...(process.getuid?.() === 0 && { user: nobody }),
  });
  const through = (url: string) => url.replace(`:${postgresPort}/`, `:${port}/`);
  const isReady = () => answers(through(server.userDatabaseUrl));
  await pooler.start(isReady, { deadlineMs: startWithinMs, signal });
  const rest = scope.move();
  return {
    url: server.url,
    userDatabaseUrl: through(server.userDatabaseUrl),
    orderDatabaseUrl: through(server.orderDatabaseUrl),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

async function setRoles(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(await readFile(join(root, "deploy/pgbouncer/role-settings.sql"), "utf8"));
  } finally {
    await sql.end();
  }
}

async function writeSettings(folder: string, server: Postgres, port: number): Promise<void> {
  mkdirSync(folder);
  const shipped = await readFile(join(root, "deploy/pgbouncer/pgbouncer.ini"), "utf8");
  const accounts = [server.userDatabaseUrl, server.orderDatabaseUrl].map((url) => new URL(url));
  const files = {
    "pgbouncer.ini": shipped
      .replaceAll("host=postgres port=5432", `host=127.0.0.1 port=${new URL(server.url).port}`)
      .replace("listen_addr = 0.0.0.0", "listen_addr = 127.0.0.1\nunix_socket_dir =")
      .replace("listen_port = 6432", `listen_port = ${port}`)
      .replace("userlist.txt", join(folder, "userlist.txt")),
    "userlist.txt": accounts
      .map(({ username, password }) => `"${username}" "${password}"\n`)
      .join(""),
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    if (process.getuid?.() === 0) chownSync(join(folder, name), nobody.uid, nobody.gid);
  }
}

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2, fetch_types: false, onnotice: () => {} });
  try {
    await sql`select`;
    return true;
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
