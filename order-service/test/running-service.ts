import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { loadConfig } from "@3l1/kit/config.ts";
import { createGrpcTransport } from "@3l1/kit/grpc/transport.ts";
import { createLogger } from "@3l1/kit/logger.ts";
import { createShutdown } from "@3l1/kit/shutdown.ts";
import type { Transport } from "@connectrpc/connect";
import { Registry } from "@prometheus-io/client";
import { settings } from "../src/config.ts";
import { startOrderService } from "../src/order-service.ts";

/** An order-service as `main.ts` starts it, in this process and on a port of its own. */
export interface RunningService {
  /** For clients of the service. */
  readonly transport: Transport;
  /** What its `/readyz` tells besides. */
  readonly details: ReadonlyMap<string, () => unknown>;
  stop(): Promise<void>;
}

export async function startService(env: Record<string, string>): Promise<RunningService> {
  const port = await freePort();
  const logger = createLogger("order-service", "silent");
  const details = new Map<string, () => unknown>();
  const shutdown = createShutdown(logger, (code) => assert.equal(code, 0, "ends in order"));
  const stop = () => shutdown.begin("the test is over");
  const config = loadConfig(settings, { ...env, ORDER_SERVICE_PORT: String(port) });
  const registry = new Registry();
  // Closed after the service, which ends the streams that the client still reads.
  const transport = createGrpcTransport({ baseUrls: [`http://127.0.0.1:${port}`] });
  shutdown.defer("client", () => transport.close());
  try {
    const adminPages = new Map();
    await startOrderService({ config, logger, registry, shutdown, adminPages, details });
  } catch (error) {
    await stop();
    throw error;
  }
  return { transport, details, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
