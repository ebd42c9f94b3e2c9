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
      let removed = 0;
      for (;;) {
        signal.throwIfAborted();
        const count = await store.removeBatch(userId, removalBatch);
        removed += count;
        if (count < removalBatch) return { removedOrders: BigInt(removed) };
      }
    },
  } satisfies ServiceImpl<typeof InternalOrderService>;
}
