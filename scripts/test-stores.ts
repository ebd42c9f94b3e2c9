import { join } from "node:path";
import { openPlatform } from "../dev/platform.ts";
import { freePorts } from "../dev/ports.ts";
import { startPostgres } from "../dev/postgres.ts";
import { copyReadyCluster } from "../dev/ready-cluster.ts";
import { startRedis } from "../dev/redis.ts";

/** A PostgreSQL and a Redis for unit tests, empty at first and thrown away in the end. */
export interface TestStores {
  /** Tells tests where the stores are. */
  readonly env: { readonly TEST_DATABASE_URL: string; readonly TEST_REDIS_URL: string };
  stop(): Promise<void>;
}

/**
 * Starts both stores.
 *
 * @param folder for their data; whoever made it removes it
 * @param ready the data that PostgreSQL begins with
 */
export async function startTestStores(folder: string, ready: string): Promise<TestStores> {
  const report = (line: string) => process.stdout.write(`  ${line}\n`);
  const platform = await openPlatform(folder, report);
  const [postgresPort = 0, redisPort = 0] = await freePorts(2);
  const signal = AbortSignal.timeout(300_000);
  const options = (name: string, port: number) => {
    return { folder: join(folder, name), port, manage: platform.manage, signal, report };
  };
  await copyReadyCluster(ready, join(folder, "postgres"));
  const [postgres, redis] = await Promise.all([
    startPostgres(options("postgres", postgresPort)),
    startRedis(options("redis", redisPort)),
  ]);
  return {
    env: { TEST_DATABASE_URL: postgres.url, TEST_REDIS_URL: redis.url },
    stop: () => platform.stop(),
  };
}
