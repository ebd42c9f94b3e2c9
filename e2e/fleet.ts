import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refuseSecretsInLogs } from "../dev/leaked-secrets.ts";
import { adminEmail, adminPassword, userPassword } from "../dev/own-platform.ts";
import { openPlatform, type Platform } from "../dev/platform.ts";
import { claimPorts } from "../dev/port-block.ts";
import { type Postgres, startPostgres } from "../dev/postgres.ts";
import { copyReadyCluster } from "../dev/ready-cluster.ts";
import { type RunningRedis, startRedis } from "../dev/redis.ts";
import { randomKey } from "../dev/secrets.ts";
import type { ServiceName } from "../dev/settings.ts";
import {
  claimAddress,
  type Instance,
  type InstanceAddress,
  type Killable,
  killable,
  startInstance,
} from "./fleet-instance.ts";

const root = join(import.meta.dirname, "..");
const storesWithinMs = 120_000;

/** How many of each there are. */
export interface FleetSize {
  readonly gateways: number;
  readonly userServices: number;
  readonly orderServices: number;
}

/** Several of each process on one PostgreSQL and one Redis. */
export interface Fleet extends AsyncDisposable {
  readonly gateways: readonly Instance[];
  readonly userServices: readonly Instance[];
  readonly orderServices: readonly Instance[];
  readonly postgres: Killable & Pick<Postgres, "url" | "userDatabaseUrl" | "orderDatabaseUrl">;
  readonly redis: Killable & Pick<RunningRedis, "url">;
  /**
   * Stops all and removes the data; so does leaving its scope.
   *
   * @throws when a token, a session key or a password stands in what was logged
   */
  stop(): Promise<void>;
}

/** Starts stores and processes, each instance on an address of its own, and waits until all are ready. */
export async function startFleet(
  size: FleetSize,
  env: Readonly<Record<string, string>> = {},
): Promise<Fleet> {
  const scope = new AsyncDisposableStack();
  try {
    return await start(size, env, scope);
  } catch (error) {
    await scope.disposeAsync();
    throw error;
  }
}

async function start(
  size: FleetSize,
  env: Readonly<Record<string, string>>,
  scope: AsyncDisposableStack,
): Promise<Fleet> {
  const keys = randomKey();
  const folder = await mkdtemp(join(tmpdir(), "3l1-fleet-"));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  scope.defer(() => refuseSecretsInLogs(folder, [adminPassword, userPassword, keys]));
  const platform = await openPlatform(folder, () => {});
  scope.defer(() => platform.stop());
  const { ports, release } = await claimPorts();
  scope.defer(release);
  const { postgres, redis } = await startStores(platform, folder, ports);

  const gateways = await claimAddresses("gateway", size.gateways, scope);
  const userServices = await claimAddresses("user-service", size.userServices, scope);
  const orderServices = await claimAddresses("order-service", size.orderServices, scope);
  const settings = {
    ...commonSettings(keys),
    USER_DATABASE_URL: postgres.userDatabaseUrl,
    ORDER_DATABASE_URL: postgres.orderDatabaseUrl,
    REDIS_URL: redis.url,
    USER_SERVICE_URL: userServices.map(({ url }) => url).join(","),
    ORDER_SERVICE_URL: orderServices.map(({ url }) => url).join(","),
    ...env,
  };
  const run = (addresses: readonly InstanceAddress[]) =>
    Promise.all(addresses.map((each) => startInstance(each, platform, folder, settings)));
  const [edge, users, orders] = await Promise.all([
    run(gateways),
    run(userServices),
    run(orderServices),
  ]);
  // Those at the edge first: what is under way in them still needs the others.
  scope.defer(async () => void (await Promise.all(edge.map((each) => each.stop()))));
  const stop = () => scope.disposeAsync();
  const { url, userDatabaseUrl, orderDatabaseUrl } = postgres;
  return {
    gateways: edge,
    userServices: users,
    orderServices: orders,
    postgres: Object.assign(killable(postgres.process), { url, userDatabaseUrl, orderDatabaseUrl }),
    redis: Object.assign(killable(redis.process), { url: redis.url }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** On ports that no outgoing connection is given while a store is away. */
async function startStores({ manage }: Platform, folder: string, ports: readonly number[]) {
  const [postgresPort = 0, redisPort = 0] = ports;
  const signal = AbortSignal.timeout(storesWithinMs);
  const options = (name: string, port: number) => {
    return { folder: join(folder, name), port, manage, signal, report: () => {} };
  };
  await copyReadyCluster(process.env.TEST_READY_CLUSTER ?? null, join(folder, "postgres"));
  const [postgres, redis] = await Promise.all([
    startPostgres(options("postgres", postgresPort)),
    startRedis(options("redis", redisPort)),
  ]);
  return { postgres, redis };
}

async function claimAddresses(service: ServiceName, count: number, scope: AsyncDisposableStack) {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const addresses = await Promise.all(indexes.map((index) => claimAddress(service, index)));
  for (const { release } of addresses) scope.defer(release);
  return addresses;
}

/** As `npm start` has it, without limits that would be in the way of many requests from one address. */
function commonSettings(keys: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    SECRET_KEYS: keys,
    ADMIN_EMAIL: adminEmail,
    ADMIN_PASSWORD: adminPassword,
    COOKIE_SECURE: "false",
    RATE_LIMIT_IP_PER_MINUTE: "0",
    RATE_LIMIT_USER_PER_MINUTE: "0",
    RATE_LIMIT_LOGIN_PER_MINUTE: "0",
    NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node"),
  };
}
