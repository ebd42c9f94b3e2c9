import { InternalOrderService } from "@3l1/gen/order/v1/internal_order_service_pb.ts";
import type { ServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { briefError } from "@3l1/kit/logged-error.ts";
import type { Logger } from "@3l1/kit/logger.ts";
import { type Periodic, runPeriodically } from "@3l1/kit/periodic.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { traceIdOf } from "@3l1/kit/tracing/traceparent.ts";
import { createClient, type Transport } from "@connectrpc/connect";
import { purgeBackoffMs, purgeBatch, relayEveryMs } from "./limits.ts";
import type { DuePurge, PurgeQueue } from "./purge-queue.ts";

export interface PurgeRelayOptions {
  readonly queue: PurgeQueue;
  /** To the order-service. */
  readonly transport: Transport;
  readonly credential: ServiceCredential;
  /** After that a purge that was taken and not finished is taken again. Longer than any call. */
  readonly leaseMs: number;
  readonly logger: Logger;
}

/**
 * Has the order-service remove the orders of deleted users, and goes on until it says that it has.
 * A user is in the hands of one copy at a time; should that one die, another takes over.
 */
export function relayPurges(options: PurgeRelayOptions): Periodic {
  const { queue, transport, credential, leaseMs, logger } = options;
  const orders = createClient(InternalOrderService, transport);

  async function purge({ userId, attempts, traceparent }: DuePurge): Promise<void> {
    const traceId = traceIdOf(traceparent);
    const headers = {
      [metadata.serviceCredential]: credential.value,
      ...(traceparent && { [metadata.traceparent]: traceparent }),
    };
    try {
      const { removedOrders } = await orders.purgeUser({ userId }, { headers });
      await queue.done(userId);
      const line = { userId, traceId, removedOrders: Number(removedOrders), attempts };
      logger.info(line, "orders purged");
    } catch (error) {
      const { first, longest } = purgeBackoffMs;
      const retryInMs = Math.min(longest, first * 2 ** Math.min(attempts - 1, 20));
      const err = briefError(error);
      logger.warn({ userId, traceId, attempts, retryInMs, err }, "orders are not purged yet");
      await queue.postpone(userId, retryInMs);
    }
  }
  async function run(): Promise<void> {
    const due = await queue.take(purgeBatch, leaseMs);
    await Promise.all(due.map(purge));
    if (due.length === purgeBatch) await run();
  }
  return runPeriodically({ name: "purge relay", everyMs: relayEveryMs, run, logger });
}
