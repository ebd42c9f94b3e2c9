import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { loadConfig } from "@3l1/kit/config.ts";
import { createGrpcTransport } from "@3l1/kit/grpc-transport.ts";
import { createLogger } from "@3l1/kit/logger.ts";
import type { Transport } from "@connectrpc/connect";
import { Registry } from "@prometheus-io/client";
import { settings } from "../src/config.ts";
import { startOrderService } from "../src/service.ts";

/** An order-service as `main.ts` starts it, in this process and on a port of its own. */
export interface RunningService {
  /** For clients of the service. */
  readonly transport: Transport;
  stop(): Promise<void>;
}

export async function startService(env: Record<string, string>): Promise<RunningService> {
  const port = await freePort();
  const closing: (() => unknown)[] = [];
  await startOrderService({
    config: loadConfig(settings, { ...env, ORDER_SERVICE_PORT: String(port) }),
    logger: createLogger("order-service", "silent"),
    registry: new Registry(),
    shutdown: {
      signal: new AbortController().signal,
      defer: (_, close) => void closing.unshift(close),
      begin: () => Promise.resolve(),
    },
    adminPages: new Map(),
    details: new Map(),
  });
  const transport = createGrpcTransport({ baseUrls: [`http://127.0.0.1:${port}`] });
  closing.unshift(() => transport.close());
  return {
    transport,
    async stop() {
      for (const close of closing) await close();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
