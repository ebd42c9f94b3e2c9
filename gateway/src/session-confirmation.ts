import { setTimeout as sleep } from "node:timers/promises";
import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import type { Caller } from "@3l1/kit/auth/caller.ts";
import type { Logger } from "@3l1/kit/logger.ts";
import { createClient, type Transport } from "@connectrpc/connect";
import type { CallMetadata } from "./caller-metadata.ts";
import {
  confirmRetriesMs,
  confirmTimeoutMs,
  maxConfirmations,
  maxRememberedGenerations,
} from "./limits.ts";

/** Tells the user-service that a session key has arrived at the client. */
export interface SessionConfirmation {
  /**
   * To be called with every valid token a client shows. The first one of a generation proves that its
   * session key has arrived, so that the key before is worth nothing from now on. Returns at once.
   */
  seen(caller: Caller, header: () => CallMetadata): void;
}

export interface SessionConfirmationOptions {
  readonly transport: Transport;
  readonly logger: Logger;
  /** Ends the waiting for another try. */
  readonly signal: AbortSignal;
}

export function createSessionConfirmation(
  options: SessionConfirmationOptions,
): SessionConfirmation {
  const { transport, logger, signal } = options;
  const client = createClient(SessionService, transport);
  const told = new Set<string>();
  let underWay = 0;

  async function tell({ userId, sessionId, generation }: Caller, headers: CallMetadata) {
    for (const pauseMs of [0, ...confirmRetriesMs]) {
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal, ref: false });
      try {
        const call = { headers, signal, timeoutMs: confirmTimeoutMs };
        return await client.confirmSession({ userId, sessionId, generation }, call);
      } catch (error) {
        logger.debug({ err: error, sessionId }, "a session is not confirmed yet");
      }
    }
    throw new Error("a session could not be confirmed");
  }

  return {
    seen(caller, header) {
      const key = `${caller.sessionId} ${caller.generation}`;
      if (told.has(key) || underWay >= maxConfirmations) return;
      told.add(key);
      if (told.size > maxRememberedGenerations) told.delete(told.values().next().value as string);
      underWay++;
      tell(caller, header())
        .catch(() => told.delete(key))
        .finally(() => underWay--);
    },
  };
}
