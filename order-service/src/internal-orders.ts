import type { InternalOrderService } from "@3l1/gen/order/v1/internal_order_service_pb.ts";
import type { ServiceImpl } from "@connectrpc/connect";
import { removalBatch } from "./limits.ts";
import type { OrderStore } from "./store.ts";

/**
 * What the user-service asks for.
 *
 * @param now milliseconds since 1970
 */
export function createInternalOrderHandlers(store: OrderStore, now: () => number) {
  return {
    /** Whoever is interrupted half-way, by a deadline or a crash, asks again and goes on from there. */
    async purgeUser({ userId }, { signal }) {
      await store.purge(userId, new Date(now()));
      const removed = await inBatches((limit) => store.removeBatch(userId, limit), signal);
      await inBatches((limit) => store.blankChangesBatch(userId, limit), signal);
      return { removedOrders: BigInt(removed) };
    },
  } satisfies ServiceImpl<typeof InternalOrderService>;
}

/** Goes on until nothing is left, and says how many there were. */
async function inBatches(
  batch: (limit: number) => Promise<number>,
  signal: AbortSignal,
): Promise<number> {
  for (let all = 0; ; ) {
    signal.throwIfAborted();
    const count = await batch(removalBatch);
    all += count;
    if (count < removalBatch) return all;
  }
}
