import { setImmediate as afterPolling, setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import * as limits from "./limits.ts";

/** How long the steps of the end may take. */
export interface DrainTimings {
  readonly lameDuckMs: number;
  readonly drainMs: number;
  readonly drainCheckMs: number;
}

/**
 * Ends the public port without cutting an answer: still serving for a moment, until balancers have
 * seen that the process is no longer ready, then nothing new, then what is under way.
 */
export async function drain(
  app: FastifyInstance,
  { lameDuckMs, drainMs, drainCheckMs }: DrainTimings = limits,
): Promise<void> {
  await sleep(lameDuckMs);
  const idle = setInterval(() => app.server.closeIdleConnections(), drainCheckMs);
  const deadline = setTimeout(() => app.server.closeAllConnections(), drainMs);
  // The kernel resets what it holds for us once the port is closed. Right after the event loop has
  // polled there is next to nothing: all that had come was accepted.
  await afterPolling();
  app.server.close();
  try {
    await app.close();
  } finally {
    clearInterval(idle);
    clearTimeout(deadline);
  }
}
