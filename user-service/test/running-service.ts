import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Writable } from "node:stream";
import { loadConfig } from "@3l1/kit/config.ts";
import { createGrpcTransport } from "@3l1/kit/grpc/transport.ts";
import { loggedError } from "@3l1/kit/logged-error.ts";
import { createShutdown } from "@3l1/kit/shutdown.ts";
import type { Transport } from "@connectrpc/connect";
import { Registry } from "@prometheus-io/client";
import { pino } from "pino";
import { settings } from "../src/config.ts";
import { startUserService } from "../src/user-service.ts";

/** A user-service as `main.ts` starts it, in this process and on a port of its own. */
export interface RunningService {
  /** For clients of the service. */
  readonly transport: Transport;
  /** What it has logged, a line each. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

export async function startService(env: Record<string, string>): Promise<RunningService> {
  const port = await freePort();
  const log: string[] = [];
  const lines = new Writable({
    write(line, _encoding, done) {
      log.push(String(line));
      done();
    },
  });
  const logger = pino({ level: "debug", serializers: { err: loggedError } }, lines);
  const shutdown = createShutdown(logger, (code) => assert.equal(code, 0, "ends in order"));
  const stop = () => shutdown.begin("the test is over");
  const config = loadConfig(settings, { ...env, USER_SERVICE_PORT: String(port) });
  const shared = { adminPages: new Map(), details: new Map(), registry: new Registry() };
  try {
    await startUserService({ config, logger, shutdown, ...shared });
  } catch (error) {
    await stop();
    throw error;
  }
  const transport = createGrpcTransport({ baseUrls: [`http://127.0.0.1:${port}`] });
  shutdown.defer("client", () => transport.close());
  return { transport, log, stop };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
