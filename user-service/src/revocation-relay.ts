import type { Logger } from "@3l1/kit/logger.ts";
import { type Periodic, runPeriodically } from "@3l1/kit/periodic.ts";
import { onReconnect, type RedisClient } from "@3l1/kit/stores/redis.ts";
import { relayEveryMs, revocationBatch, revocationLeaseMs, revocationMarginMs } from "./limits.ts";
import type { RevocationLog } from "./revocation-log.ts";
import type { Revoker } from "./revoker.ts";
import type { RevocationRecord } from "./store.ts";

/** Less than any UUID of ours. */
const beforeAllIds = "00000000-0000-0000-0000-000000000000";
const forgetEveryMs = 60_000;

export interface RevocationRelayOptions {
  readonly redis: RedisClient;
  readonly log: RevocationLog;
  readonly revoker: Revoker;
  readonly tokenTtlMs: number;
  readonly logger: Logger;
  /** A monotonic clock in milliseconds. */
  readonly monotonicNow: () => number;
}

/**
 * Tells Redis what it was not told: because Redis was away, or because the process that decided died
 * in between. A Redis that comes back may have lost what it knew, so it is told everything of the
 * last minutes once more. Several copies may do so at once; telling twice does no harm.
 */
export function relayRevocations(options: RevocationRelayOptions): Periodic {
  const { redis, log, revoker, tokenTtlMs, logger, monotonicNow } = options;
  // Also at the start: Redis may have come back while no copy of us was there to see it.
  let mayHaveForgotten = true;
  /** Counts the connections to Redis. */
  let generation = 0;
  let forgotAt = monotonicNow();

  async function run(): Promise<void> {
    if (redis.status !== "ready") return;
    await relayUnpublished();
    if (mayHaveForgotten) await repeatPublished();
    if (monotonicNow() - forgotAt < forgetEveryMs) return;
    forgotAt = monotonicNow();
    await log.forget(tokenTtlMs + revocationMarginMs);
  }
  async function relayUnpublished(): Promise<void> {
    const ageMs = mayHaveForgotten ? 0 : revocationLeaseMs;
    let count: number;
    do {
      const records = await log.unpublished(ageMs, revocationBatch);
      await revoker.relay(records);
      count = records.length;
    } while (count === revocationBatch);
  }
  async function repeatPublished(): Promise<void> {
    const repeating = generation;
    let after: string | undefined = beforeAllIds;
    while (after !== undefined) {
      const records: readonly RevocationRecord[] = await log.published(after, revocationBatch);
      await revoker.relay(records);
      after = records.length === revocationBatch ? records.at(-1)?.id : undefined;
    }
    // It may have come back once more in the meantime.
    mayHaveForgotten = repeating !== generation;
  }

  const relay = runPeriodically({ name: "revocation relay", everyMs: relayEveryMs, run, logger });
  onReconnect(redis, () => {
    generation++;
    mayHaveForgotten = true;
    relay.soon();
  });
  return relay;
}
