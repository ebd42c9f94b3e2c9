import type { Logger } from "@3l1/kit/logger.ts";
import type { Redis } from "ioredis";
import { relayEveryMs, revocationBatch, revocationLeaseMs, revocationMarginMs } from "./limits.ts";
import { type Periodic, runPeriodically } from "./periodic.ts";
import type { RevocationLog } from "./revocation-log.ts";
import type { Revoker } from "./revoker.ts";

/** Less than any UUID of ours. */
const beforeAllIds = "00000000-0000-0000-0000-000000000000";
const forgetEveryMs = 60_000;

export interface RevocationRelayOptions {
  readonly redis: Redis;
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
  let mayHaveForgotten = false;
  let forgotAt = monotonicNow();

  async function run(): Promise<void> {
    if (redis.status !== "ready") return;
    const ageMs = mayHaveForgotten ? 0 : revocationLeaseMs;
    for (const record of await log.unpublished(ageMs, revocationBatch)) await revoker.relay(record);
    if (mayHaveForgotten) await repeat();
    if (monotonicNow() - forgotAt < forgetEveryMs) return;
    forgotAt = monotonicNow();
    await log.forget(tokenTtlMs + revocationMarginMs);
  }
  async function repeat(): Promise<void> {
    mayHaveForgotten = false;
    let after = beforeAllIds;
    try {
      for (;;) {
        const records = await log.published(after, revocationBatch);
        for (const record of records) await revoker.relay(record);
        const last = records.at(-1);
        if (last === undefined || records.length < revocationBatch) return;
        after = last.id;
      }
    } catch (error) {
      mayHaveForgotten = true;
      throw error;
    }
  }

  const relay = runPeriodically({ name: "revocation relay", everyMs: relayEveryMs, run, logger });
  redis.on("ready", () => {
    mayHaveForgotten = true;
    relay.soon();
  });
  return relay;
}
