import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "@3l1/kit/wait-for.ts";
import postgres from "postgres";
import { openCluster, postgresEnvironment } from "../../dev/postgres-cluster.ts";
import { findRedis } from "../../dev/redis-program.ts";
import { root } from "../../scripts/run.ts";
import type { ComposeService } from "./compose-file.ts";

/** PostgreSQL on its usual port, set up with the file that compose.yaml mounts for it. */
export async function startPostgres(folder: string, secrets: string): Promise<ChildProcess> {
  await mkdir(folder);
  const signal = AbortSignal.timeout(60_000);
  const { server, data, user, passwords } = await openCluster(folder, signal);
  const address = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="];
  const [command = server, ...args] = [...user.wrapper, server, "-D", data, ...address];
  const options = { env: postgresEnvironment(), ...user.user, stdio: "ignore" } as const;
  const child = spawn(command, args, options);
  const url = `postgres://postgres:${passwords.postgres}@127.0.0.1:5432/postgres`;
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  const answers = () => sql`select`.then(Boolean, () => false);
  await waitFor("PostgreSQL", answers);
  const script = readFileSync(join(root, "deploy/compose/create-databases.sql"), "utf8");
  // psql sends one statement at a time, and so does this: a database is not created in a transaction.
  for (const statement of statementsOf(script.replaceAll("/run/secrets/", `${secrets}/`)))
    await sql.unsafe(statement);
  await sql.end();
  return child;
}

/** Redis on its usual port, with the options and the logins of compose.yaml. */
export async function startRedis(
  folder: string,
  secrets: string,
  { command = [] }: ComposeService,
): Promise<ChildProcess> {
  await mkdir(folder);
  const signal = AbortSignal.timeout(120_000);
  const { program, env } = await findRedis(join(folder, "program"), signal, () => {});
  const args = command
    .slice(1)
    .map((word) => word.replace(/^\/data$/, folder).replace("/run/secrets", secrets));
  return spawn(program, args, { env, stdio: "ignore" });
}

function statementsOf(script: string): string[] {
  const statements = script.replace(/^--.*\n/gm, "").split(/;\n+(?![\s\S]*\$\$;)/);
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== "");
}
