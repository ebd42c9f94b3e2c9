import { createHash } from "node:crypto";
import type { RedisClient } from "./redis.ts";

/** Runs a Lua script with its keys and arguments. */
export type RedisScript = (
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

/** A script that Redis is told by its hash, and in full only when Redis does not know it yet. */
export function redisScript(redis: RedisClient, lua: string): RedisScript {
  const hash = createHash("sha1").update(lua).digest("hex");
  return async (keys, args) => {
    try {
      return await redis.evalsha(hash, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return redis.eval(lua, keys.length, ...keys, ...args);
    }
  };
}
