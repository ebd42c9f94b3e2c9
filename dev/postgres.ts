import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import type { RunningStore } from "./platform-file.ts";
import {
  knownPasswords,
  openCluster,
  type Passwords,
  postgresEnvironment,
} from "./postgres-cluster.ts";
import type { ManagedProcess, ProcessOptions } from "./process.ts";

/** Recovery after a crash takes the longest. */
const readyWithinMs = 60_000;
/** A fast shutdown writes a checkpoint. */
const killAfterMs = 15_000;

export interface StoreOptions {
  /** Where its data and its log are kept. */
  readonly folder: string;
  readonly port: number;
  readonly manage: (options: ProcessOptions) => ManagedProcess;
  readonly signal: AbortSignal;
}

/** A running PostgreSQL: for each service a database, and a login that can enter no other. */
export interface Postgres {
  readonly process: ManagedProcess;
  /** The superuser's. */
  readonly url: string;
  readonly userDatabaseUrl: string;
  readonly orderDatabaseUrl: string;
}

/** Starts PostgreSQL 18 on the loopback interface. Creates what is not there yet, and keeps what is. */
export async function startPostgres(options: StoreOptions): Promise<Postgres> {
  const { folder, port, signal } = options;
  const { server, data, user, passwords } = await openCluster(folder, signal);
  const [command = server, ...args] = [...user.wrapper, server, ...serverArguments(data, port)];
  const process = options.manage({
    name: "postgres",
    role: "store",
    command,
    args,
    env: postgresEnvironment(),
    ...(user.user && { user: user.user }),
    logFile: join(folder, "postgres.log"),
    stopSignal: "SIGINT",
    hurrySignal: "SIGQUIT",
    killAfterMs,
  });
  const url = (name: keyof Passwords) =>
    `postgres://${name}:${passwords[name]}@127.0.0.1:${port}/${name}`;
  await process.start(() => answers(url("postgres")), { deadlineMs: readyWithinMs, signal });
  await withClient(url("postgres"), async (sql) => {
    for (const name of ["user_service", "order_service"] as const)
      await createDatabase(sql, name, passwords[name]);
  });
  return {
    process,
    url: url("postgres"),
    userDatabaseUrl: url("user_service"),
    orderDatabaseUrl: url("order_service"),
  };
}

/** The user-service's own way into a PostgreSQL that runs, be it ours or one that was given. */
export function userDatabaseUrlOf({ pid, url }: RunningStore, folder: string): string {
  if (pid === null) return url;
  const own = new URL(url);
  own.username = "user_service";
  own.password = knownPasswords(folder).user_service;
  own.pathname = "/user_service";
  return own.href;
}

/** No Unix socket: its path may be at most 107 bytes long, and a clone may lie deeper. */
function serverArguments(data: string, port: number): string[] {
  const settings = { listen_addresses: "127.0.0.1", port, unix_socket_directories: "" };
  return [
    "-D",
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

/** Creates a login, and a database of the same name that it alone may enter, unless they are there. */
async function createDatabase(sql: Sql, name: string, password: string): Promise<void> {
  const [role] = await sql`select from pg_roles where rolname = ${name}`;
  const [database] = await sql`select from pg_database where datname = ${name}`;
  // DDL takes no parameters; the password is ours, of letters, digits, - and _.
  if (!role) await sql.unsafe(`create role ${name} login password '${password}'`);
  if (!database) await sql.unsafe(`create database ${name} owner ${name}`);
  await sql.unsafe(`revoke all on database ${name}, postgres, template1 from public`);
}

async function answers(url: string): Promise<boolean> {
  try {
    await withClient(url, (sql) => sql`select`);
    return true;
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (code.startsWith("28")) throw error; // it answers, but not to this password
    return false;
  }
}

async function withClient<T>(url: string, use: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
