import { join } from "node:path";
import { InternalOrderService } from "@3l1/gen/order/v1/internal_order_service_pb.ts";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { createTokenVerifier } from "@3l1/kit/auth/access-token.ts";
import {
  createServiceCredential,
  deriveKeys,
  type ServiceCredential,
} from "@3l1/kit/auth/secrets.ts";
import { cacheSigningKeys, type SigningKeys } from "@3l1/kit/auth/signing-keys.ts";
import { runPeriodically } from "@3l1/kit/periodic.ts";
import type { ProcessContext } from "@3l1/kit/process.ts";
import { addBreakersPage } from "@3l1/kit/resilience/breakers-page.ts";
import { createUpstream } from "@3l1/kit/resilience/upstream.ts";
import { implement, serve } from "@3l1/kit/serve.ts";
import { migrateDatabase } from "@3l1/kit/stores/migrate.ts";
import { createPageTokens } from "@3l1/kit/stores/page-token.ts";
import type { Settings } from "./config.ts";
import { forgetOldKeys } from "./idempotency.ts";
import { createInternalOrderHandlers } from "./internal-orders.ts";
import { sweepEveryMs } from "./limits.ts";
import { createOrderHandlers } from "./orders.ts";
import { createKeyFetcher } from "./signing-keys.ts";
import { createOrderStore, type OrderStore } from "./store.ts";
import { openStores } from "./stores.ts";
import { startWatching } from "./watching.ts";

type Context = ProcessContext<Settings>;

const migrations = join(import.meta.dirname, "..", "migrations");

/** Brings the database to the newest schema, builds the order-service and listens. */
export async function startOrderService(context: Context): Promise<void> {
  const { config } = context;
  const now = Date.now;
  await migrateDatabase(config.ORDER_DATABASE_DIRECT_URL ?? config.ORDER_DATABASE_URL, migrations);
  const { db, revocations } = await openStores(context);
  const watching = startWatching(context, db, revocations.isRevoked, now);
  const store = createOrderStore(db, watching.onChange);
  sweepIdempotencyKeys(context, store, now);
  const pageTokens = createPageTokens(deriveKeys(config.SECRET_KEYS, "page-token"));
  const credential = createServiceCredential(config.SECRET_KEYS);
  await serve(context, {
    bindings: [
      implement(OrderService, {
        ...createOrderHandlers({ store, pageTokens, now }),
        watchOrders: watching.watchOrders,
      }),
      implement(InternalOrderService, createInternalOrderHandlers(store, now)),
    ],
    verifier: createTokenVerifier(followSigningKeys(context, credential, now), now),
    credential,
    isRevoked: revocations.isRevoked,
    host: config.ORDER_SERVICE_HOST,
    port: config.ORDER_SERVICE_PORT,
    portSetting: "ORDER_SERVICE_PORT",
  });
}

/** Asks for nothing yet: the user-service need not be there when this one starts. */
function followSigningKeys(
  { config, logger, registry, shutdown, adminPages, details }: Context,
  credential: ServiceCredential,
  now: () => number,
): SigningKeys {
  const userService = createUpstream({
    name: "user-service",
    baseUrls: config.USER_SERVICE_URL,
    timeoutMs: config.UPSTREAM_TIMEOUT_MS,
    logger,
    registry,
  });
  shutdown.defer("user-service", userService.close);
  addBreakersPage(adminPages, [userService]);
  details.set("userService", () => userService.snapshot().state);
  return cacheSigningKeys(createKeyFetcher(userService.transport, credential), now);
}

function sweepIdempotencyKeys(
  { logger, shutdown }: Context,
  store: OrderStore,
  now: () => number,
): void {
  const name = "sweep of the idempotency keys";
  const run = () => forgetOldKeys(store, now(), shutdown.signal);
  const sweeping = runPeriodically({ name, everyMs: sweepEveryMs, run, logger });
  shutdown.defer(name, sweeping.stop);
}
