import { Redis } from "ioredis";
import type { Logger } from "../logger.ts";
import { traceRedis } from "../tracing/trace-redis.ts";
import type { Tracing } from "../tracing/tracing.ts";

export interface RedisOptions {
  readonly url: string;
  /** Shown in Redis' CLIENT LIST. */
  readonly name: string;
  readonly logger: Logger;
  /** A command that takes longer fails. It may still run, so scripts that write carry their own deadline. */
  readonly commandTimeoutMs: number;
  /** Shows commands, where there is a span for them to be below. Default: off. */
  readonly tracing?: Tracing | undefined;
}

/** A connection on which commands wait, and nothing comes back for so long, is given up for a new one. */
const silenceMs = 2_000;

/**
 * A connection to Redis that fails fast: no queue while it is away, no silent retries. It connects
 * again by itself, within a second.
 */
export function openRedis({ url, name, logger, commandTimeoutMs, tracing }: RedisOptions): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2_000,
    socketTimeout: silenceMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(1_000, 50 * 2 ** attempt),
  });
  if (tracing !== undefined) traceRedis(redis, tracing);
  let away = false;
  redis.on("ready", () => {
    if (away) logger.info("redis is back");
    away = false;
  });
  redis.on("error", (error: Error) => {
    if (!away) logger.warn({ err: { message: error.message } }, "redis is away");
    away = true;
  });
  return redis;
}

/** Waits until the connection can be used, at most `timeoutMs`. */
export async function redisReady(redis: Redis, timeoutMs: number): Promise<boolean> {
  if (redis.status === "ready") return true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    redis.once("ready", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
