import { once } from "node:events";
import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import { setImmediate as afterPolling, setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Connections } from "./connections.ts";
import * as limits from "./limits.ts";

/** How long the steps of the end may take. */
export interface DrainTimings {
  readonly lameDuckMs: number;
  readonly holdMs: number;
  readonly lastRequestsMs: number;
  readonly drainMs: number;
}

/**
 * Ends the public port without cutting an answer. First it serves on and sends clients away, until
 * balancers have seen that the process is no longer ready. Then it takes no new connections, answers
 * what comes over the old ones, and closes them as they become idle.
 */
export async function drain(
  app: FastifyInstance,
  connections: Connections,
  { lameDuckMs, holdMs, lastRequestsMs, drainMs }: DrainTimings = limits,
): Promise<void> {
  const { server } = app;
  await sleep(lameDuckMs);
  app.holdsConnections = true;
  await sleep(holdMs);
  const closed = once(server, "close");
  await stopListening(server);
  app.holdsConnections = false;
  await sleep(lastRequestsMs);
  connections.end();
  const deadline = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearTimeout(deadline);
  await app.close();
}

/**
 * The kernel resets the connections that it holds for us once the port is closed; right after the
 * event loop has polled there are next to none. Node's HTTP server would also close those it has just
 * accepted, before they have brought their request, so it is not asked.
 */
async function stopListening(server: Server): Promise<void> {
  await afterPolling();
  NetServer.prototype.close.call(server);
}
