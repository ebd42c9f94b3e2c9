import { join } from "node:path";
import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { createTokenVerifier } from "@3l1/kit/auth/access-token.ts";
import { createServiceCredential, deriveKeys } from "@3l1/kit/auth/secrets.ts";
import { cacheSigningKeys } from "@3l1/kit/auth/signing-keys.ts";
import { runPeriodically } from "@3l1/kit/periodic.ts";
import type { ProcessContext } from "@3l1/kit/process.ts";
import { addBreakersPage } from "@3l1/kit/resilience/breakers-page.ts";
import { createUpstream } from "@3l1/kit/resilience/upstream.ts";
import { implement, serve } from "@3l1/kit/serve.ts";
import { migrateDatabase } from "@3l1/kit/stores/migrate.ts";
import { createPageTokens } from "@3l1/kit/stores/page-token.ts";
import { Gauge, type Registry } from "@prometheus-io/client";
import { createTokenIssuer } from "./access-tokens.ts";
import { createAudit } from "./audit.ts";
import { type Settings, sessionTimesOf } from "./config.ts";
import { makeFirstAdmin } from "./first-admin.ts";
import { createHashingPool, type HashingPool } from "./hashing-pool.ts";
import { createHashingProcess } from "./hashing-process.ts";
import { createSeal } from "./key-seal.ts";
import {
  maxHashesAtOnce,
  maxHashWaitMs,
  maxQueuedHashes,
  purgeLeaseMarginMs,
  reloadKeysEveryMs,
} from "./limits.ts";
import { createLoginThrottle } from "./login-throttle.ts";
import { showOutboxes } from "./outbox-metrics.ts";
import type { Parts } from "./parts.ts";
import { createPasswordRules } from "./password-rules.ts";
import { createPasswords } from "./passwords.ts";
import { createPurgeQueue } from "./purge-queue.ts";
import { relayPurges } from "./purge-relay.ts";
import { createRevocationLog } from "./revocation-log.ts";
import { relayRevocations } from "./revocation-relay.ts";
import { createRevoker, type Revoker } from "./revoker.ts";
import { createSessionKeys } from "./session-key.ts";
import { createSessionOpener } from "./session-opener.ts";
import { sessionServiceHandlers } from "./session-service.ts";
import { createSessionStore, type SessionStore } from "./session-store.ts";
import { sessionHandlers } from "./sessions.ts";
import { createSigningKeyStore } from "./signing-key-store.ts";
import { type Keyring, openKeyring } from "./signing-keys.ts";
import { createStore } from "./store.ts";
import { openStores, type Stores } from "./stores.ts";
import { administrationHandlers } from "./user-administration.ts";
import { userHandlers } from "./users.ts";

type Context = ProcessContext<Settings>;

const migrations = join(import.meta.dirname, "..", "migrations");

/** Builds the user-service and listens: stores, keys, relays, the first administrator, gRPC. */
export async function startUserService(context: Context): Promise<void> {
  const { config, logger } = context;
  if (config.SESSION_ROTATE_AFTER_SECONDS < config.SESSION_GRACE_SECONDS)
    logger.warn(
      "SESSION_ROTATE_AFTER_SECONDS is less than SESSION_GRACE_SECONDS: slow requests may look like theft",
    );
  await migrateDatabase(config.USER_DATABASE_DIRECT_URL ?? config.USER_DATABASE_URL, migrations);
  const stores = await openStores(context);
  const keyring = await followKeyring(context, stores);
  const sessions = createSessionStore(stores.redis, sessionTimesOf(config));
  const revoker = startRevoker(context, stores, sessions);
  const purgeSoon = startPurges(context, stores);
  const counting = showOutboxes(context, stores.db);
  context.shutdown.defer("count of the outboxes", counting.stop);
  const parts = await createParts(context, { ...stores, keyring, sessions, revoker, purgeSoon });
  await makeFirstAdmin({ ...parts, email: config.ADMIN_EMAIL, password: config.ADMIN_PASSWORD });
  await serve(context, {
    bindings: [
      implement(UserService, {
        ...userHandlers(parts),
        ...administrationHandlers(parts),
        ...sessionHandlers(parts),
      }),
      implement(SessionService, sessionServiceHandlers(parts)),
    ],
    verifier: parts.verifier,
    credential: parts.credential,
    isRevoked: stores.revocations.isRevoked,
    host: config.USER_SERVICE_HOST,
    port: config.USER_SERVICE_PORT,
    portSetting: "USER_SERVICE_PORT",
  });
}

/** The signing keys, with those that other copies and operators make. */
async function followKeyring(context: Context, { db }: Stores): Promise<Keyring> {
  const { config, logger, shutdown } = context;
  const seal = createSeal(deriveKeys(config.SECRET_KEYS, "signing-key-seal"));
  const store = createSigningKeyStore(db);
  const keyring = await openKeyring({ store, seal, logger, now: Date.now });
  const run = keyring.reload;
  const name = "reload of the signing keys";
  const reloading = runPeriodically({ name, everyMs: reloadKeysEveryMs, run, logger });
  shutdown.defer(name, reloading.stop);
  return keyring;
}

function startRevoker(context: Context, stores: Stores, sessions: SessionStore): Revoker {
  const { config, logger, shutdown } = context;
  const { db, redis, revocations } = stores;
  const log = createRevocationLog(db);
  const tokenTtlMs = config.ACCESS_TOKEN_TTL_SECONDS * 1000;
  const shared = { redis, log, tokenTtlMs, logger };
  const revoker = createRevoker({ ...shared, sessions, revocations, now: Date.now });
  const monotonicNow = () => performance.now();
  const relay = relayRevocations({ ...shared, revoker, monotonicNow });
  shutdown.defer("revocation relay", relay.stop);
  return revoker;
}

/** @returns what has the relay look at once */
function startPurges(context: Context, { db }: Stores): () => void {
  const { config, logger, registry, shutdown, tracing, adminPages, details } = context;
  const orders = createUpstream({
    name: "order-service",
    baseUrls: config.ORDER_SERVICE_URL,
    timeoutMs: config.UPSTREAM_TIMEOUT_MS,
    logger,
    registry,
    tracing,
  });
  shutdown.defer("order-service", orders.close);
  addBreakersPage(adminPages, [orders]);
  details.set("orderService", () => orders.snapshot().state);
  const credential = createServiceCredential(config.SECRET_KEYS);
  const { transport } = orders;
  const queue = createPurgeQueue(db);
  const leaseMs = config.UPSTREAM_TIMEOUT_MS + purgeLeaseMarginMs;
  const relay = relayPurges({ queue, transport, credential, leaseMs, logger });
  shutdown.defer("purge relay", relay.stop);
  return relay.soon;
}

type Started = Stores & Pick<Parts, "keyring" | "sessions" | "revoker" | "purgeSoon">;

async function createParts(
  { config, logger, registry, shutdown }: Context,
  started: Started,
): Promise<Parts> {
  const { db, redis, keyring } = started;
  const secrets = config.SECRET_KEYS;
  const now = Date.now;
  const tokenTtlSeconds = config.ACCESS_TOKEN_TTL_SECONDS;
  const store = createStore(db);
  const audit = createAudit(logger, registry);
  const issueToken = createTokenIssuer(keyring, tokenTtlSeconds, now);
  const hashing = createHashingProcess();
  shutdown.defer("hashing process", hashing.kill);
  const keys = cacheSigningKeys(async () => keyring.publicKeys(), now);
  return {
    ...started,
    store,
    sessionKeys: createSessionKeys(deriveKeys(secrets, "session-key")),
    openSession: createSessionOpener({ ...started, store, issueToken, audit }),
    passwords: await createPasswords(openHashingPool(registry), hashing),
    passwordRules: createPasswordRules(config.PASSWORD_MIN_LENGTH),
    throttle: createLoginThrottle(redis),
    issueToken,
    verifier: createTokenVerifier(keys, now),
    credential: createServiceCredential(secrets),
    pageTokens: createPageTokens(deriveKeys(secrets, "page-token")),
    audit,
    logger,
    tokenTtlSeconds,
    now,
  };
}

function openHashingPool(registry: Registry): HashingPool {
  const pool = createHashingPool(maxHashesAtOnce, maxQueuedHashes, maxHashWaitMs);
  new Gauge({
    name: "password_hashes",
    help: "Passwords that are hashed now, and that wait for it",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      const { running, waiting } = pool.load();
      this.set({ state: "running" }, running);
      this.set({ state: "waiting" }, waiting);
    },
  });
  return pool;
}
