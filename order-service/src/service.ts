import { fileURLToPath } from "node:url";
import { InternalOrderService } from "@3l1/gen/order/v1/internal_order_service_pb.ts";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { createTokenVerifier } from "@3l1/kit/access-token.ts";
import { openDatabase } from "@3l1/kit/database.ts";
import { migrateDatabase } from "@3l1/kit/migrate.ts";
import { createPageTokens } from "@3l1/kit/page-token.ts";
import type { ProcessContext } from "@3l1/kit/process.ts";
import { createServiceCredential, deriveKeys } from "@3l1/kit/secrets.ts";
import { implement, serve } from "@3l1/kit/serve.ts";
import { cacheSigningKeys } from "@3l1/kit/signing-keys.ts";
import { createUpstream } from "@3l1/kit/upstream.ts";
import type { settings } from "./config.ts";
import { createInternalOrderHandlers } from "./internal-orders.ts";
import { createOrderHandlers } from "./orders.ts";
import { createKeyFetcher } from "./signing-keys.ts";
import { createOrderStore } from "./store.ts";

const migrations = fileURLToPath(new URL("../migrations", import.meta.url));

/** Brings the database to the newest schema, builds the service and listens. */
export async function startOrderService(context: ProcessContext<typeof settings>): Promise<void> {
  const { config, logger, registry, shutdown } = context;
  const now = () => Date.now();
  await migrateDatabase(config.ORDER_DATABASE_DIRECT_URL ?? config.ORDER_DATABASE_URL, migrations);
  const database = openDatabase(config.ORDER_DATABASE_URL, "order-service");
  shutdown.defer("database", database.close);

  const userService = createUpstream({
    name: "user-service",
    baseUrls: config.USER_SERVICE_URL,
    timeoutMs: config.UPSTREAM_TIMEOUT_MS,
    logger,
    registry,
  });
  shutdown.defer("user-service", userService.close);

  const credential = createServiceCredential(config.SECRET_KEYS);
  const keys = cacheSigningKeys(createKeyFetcher(userService.transport, credential), now);
  const pageTokens = createPageTokens(deriveKeys(config.SECRET_KEYS, "page-token"));
  const store = createOrderStore(database.db);
  await serve(context, {
    bindings: [
      implement(OrderService, createOrderHandlers({ store, pageTokens, now })),
      implement(InternalOrderService, createInternalOrderHandlers(store, now)),
    ],
    verifier: createTokenVerifier(keys, now),
    credential,
    host: config.ORDER_SERVICE_HOST,
    port: config.ORDER_SERVICE_PORT,
    portSetting: "ORDER_SERVICE_PORT",
  });
}
