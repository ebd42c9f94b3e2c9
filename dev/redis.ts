import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { StoreOptions } from "./postgres.ts";
import type { ManagedProcess } from "./process.ts";
import { findRedis } from "./redis-program.ts";
import { randomKey } from "./secrets.ts";

/** It loads the append-only file before it answers. */
const readyWithinMs = 30_000;
const killAfterMs = 10_000;

/** A running Redis. */
export interface RunningRedis {
  readonly process: ManagedProcess;
  readonly url: string;
}

/** Starts Redis on the loopback interface, with a new password each time and the data of the last. */
export async function startRedis(
  options: StoreOptions & { readonly report: (line: string) => void },
): Promise<RunningRedis> {
  const { folder, port, manage, signal, report } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { program, env } = await findRedis(join(folder, "program"), signal, report);
  const password = randomKey();
  const process = manage({
    name: "redis",
    role: "store",
    command: program,
    args: ["-"],
    input: configuration(folder, port, password),
    env,
    logFile: join(folder, "redis.log"),
    stopSignal: "SIGINT",
    killAfterMs,
  });
  await process.start(() => answers(port, password), { deadlineMs: readyWithinMs, signal });
  return { process, url: `redis://default:${password}@127.0.0.1:${port}/0` };
}

/** Read from standard input, so that no other user sees the password in the process list. */
function configuration(folder: string, port: number, password: string): string {
  return [
    "bind 127.0.0.1",
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(folder)}`,
    // Sessions live in Redis alone: every write is kept, at most the last second is lost.
    "appendonly yes",
    "appendfsync everysec",
    'save ""',
    "maxmemory-policy noeviction",
    "",
  ].join("\n");
}

/** While it loads its data it answers PING with an error. */
function answers(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect({ port, host: "127.0.0.1", timeout: 2_000 });
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(`AUTH ${password}\r\nPING\r\nQUIT\r\n`));
    socket.on("data", (text: string) => {
      received += text;
    });
    socket.on("timeout", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve(received.includes("+PONG")));
  });
}
