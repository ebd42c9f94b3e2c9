import { Cluster, Redis } from "ioredis";
import type { Logger } from "../logger.ts";
import { traceRedis } from "../tracing/trace-redis.ts";
import type { Tracing } from "../tracing/tracing.ts";

/** One Redis, or a cluster. Commands are the same; in a cluster all keys of one must share a hash tag. */
export type RedisClient = Redis | Cluster;

export interface RedisOptions {
  /** `redis://` or `rediss://`. Several, separated by commas, are nodes of one cluster, and tell of the rest. */
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
/** How soon a cluster's client sees by itself that slots have moved, for example to a replica. */
const slotsRefreshMs = 1_000;

/** A server that was the primary once is left this often at most: until there is a new one, all are replicas. */
const leaveReplicaMs = 1_000;

const retryAfterMs = (attempt: number) => Math.min(1_000, 50 * 2 ** attempt);

/**
 * A connection to Redis that fails fast: no queue while it is away, no silent retries. It connects
 * again by itself, within a second.
 */
export function openRedis({
  url,
  name,
  logger,
  commandTimeoutMs,
  tracing,
}: RedisOptions): RedisClient {
  const options: ConnectionOptions = {
    connectionName: name,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2_000,
    socketTimeout: silenceMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
  const redis = url.includes(",") ? openCluster(url.split(","), options) : openNode(url, options);
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

interface ConnectionOptions {
  readonly connectionName: string;
  readonly commandTimeout: number;
  readonly connectTimeout: number;
  readonly socketTimeout: number;
  readonly maxRetriesPerRequest: number;
  readonly autoResendUnfulfilledCommands: boolean;
}

function openNode(url: string, options: ConnectionOptions): Redis {
  return new Redis(url, {
    ...options,
    enableOfflineQueue: false,
    retryStrategy: retryAfterMs,
    reconnectOnError: createDemotionCheck(),
  });
}

/**
 * Tells from an error that the server has become a replica. It keeps its connections, while the name in the URL leads to
 * the new primary, so a new connection is made. It says READONLY to who writes, and UNBLOCKED to who waits.
 */
function createDemotionCheck(): (error: Error) => boolean {
  let leftAtMs = Number.NEGATIVE_INFINITY;
  return ({ message }) => {
    const nowMs = performance.now();
    if (!/^(?:READONLY|UNBLOCKED)/.test(message) || nowMs - leftAtMs < leaveReplicaMs) return false;
    leftAtMs = nowMs;
    return true;
  };
}

/** The first address says how to log in to all of them. */
function openCluster(urls: readonly string[], options: ConnectionOptions): Cluster {
  const nodes = urls.map((url) => new URL(url.trim()));
  const seeds = nodes.map(({ hostname, port }) => ({ host: hostname, port: Number(port || 6379) }));
  const [{ username, password, protocol } = new URL("redis:")] = nodes;
  const isSecure = protocol === "rediss:";
  return new Cluster(seeds, {
    enableOfflineQueue: false,
    clusterRetryStrategy: retryAfterMs,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshInterval: slotsRefreshMs,
    slotsRefreshTimeout: silenceMs,
    redisOptions: {
      ...options,
      ...(password && { password: decodeURIComponent(password) }),
      ...(username && { username: decodeURIComponent(username) }),
      ...(isSecure && { tls: {} }),
    },
    // A certificate is for a name, and not for the address behind it.
    ...(isSecure && { dnsLookup: asItIs }),
  });
}

function asItIs(name: string, callback: (error: null, address: string) => void): void {
  callback(null, name);
}

/** Another connection to the same Redis, for commands that wait. */
export function anotherConnection(redis: RedisClient, commandTimeoutMs: number): RedisClient {
  const options = { commandTimeout: commandTimeoutMs };
  return redis instanceof Cluster
    ? redis.duplicate([], { redisOptions: options })
    : redis.duplicate({ ...options, reconnectOnError: createDemotionCheck() });
}

/** Calls back when a connection is new, or a node of a cluster came or went: Redis may have forgotten something. */
export function onReconnect(redis: RedisClient, callback: () => void): void {
  redis.on("ready", callback);
  if (!(redis instanceof Cluster)) return;
  redis.on("+node", callback);
  redis.on("-node", callback);
}

/** Where writes go: Redis itself, or the masters of a cluster. */
export function nodesOf(redis: RedisClient): readonly Redis[] {
  return redis instanceof Cluster ? redis.nodes("master") : [redis];
}

/** Waits until the connection can be used, at most `timeoutMs`. */
export async function redisReady(redis: RedisClient, timeoutMs: number): Promise<boolean> {
  if (redis.status === "ready") return true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    redis.once("ready", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
