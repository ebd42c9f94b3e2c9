import type { Periodic } from "@3l1/kit/periodic.ts";
import { runPeriodically } from "@3l1/kit/periodic.ts";
import type { ProcessContext } from "@3l1/kit/process.ts";
import { isNull } from "@3l1/kit/stores/drizzle.ts";
import { Gauge } from "@prometheus-io/client";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { purges, revocations } from "./schema.ts";

/** As often as Prometheus looks. Counting at each look would make `/metrics` wait for PostgreSQL. */
const countEveryMs = 15_000;

/**
 * Shows as `outbox_rows` what was decided and not yet carried out: orders to purge, revocations that
 * Redis has not been told. Both are empty within a second while all is well.
 */
export function showOutboxes(
  { registry, logger }: Pick<ProcessContext, "registry" | "logger">,
  db: PostgresJsDatabase,
): Periodic {
  const rows = new Gauge({
    name: "outbox_rows",
    help: "What was decided and not yet carried out, by outbox",
    labelNames: ["outbox"],
    registers: [registry],
  });
  rows.set({ outbox: "purges" }, 0);
  rows.set({ outbox: "revocations" }, 0);
  async function run(): Promise<void> {
    rows.set({ outbox: "purges" }, await db.$count(purges));
    const unpublished = isNull(revocations.publishedAt);
    rows.set({ outbox: "revocations" }, await db.$count(revocations, unpublished));
  }
  const counting = runPeriodically({
    name: "count of the outboxes",
    everyMs: countEveryMs,
    run,
    logger,
  });
  counting.soon();
  return counting;
}
