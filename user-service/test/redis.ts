import { createLogger } from "@3l1/kit/logger.ts";
import { openRedis, type RedisClient, redisReady } from "@3l1/kit/stores/redis.ts";

/**
 * A connection to the Redis of the tests. They share it, so each works on users of its own.
 *
 * @param url from `TEST_REDIS_URL`
 */
export async function openTestRedis(url: string | undefined): Promise<RedisClient> {
  if (!url) throw new Error("TEST_REDIS_URL has to name a Redis; `npm test` sees to it");
  const logger = createLogger("test", "silent");
  const redis = openRedis({ url, name: "test", logger, commandTimeoutMs: 5_000 });
  if (!(await redisReady(redis, 5_000))) throw new Error("the Redis of the tests does not answer");
  return redis;
}
