import { createHash } from "node:crypto";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { redisScript } from "@3l1/kit/stores/redis-script.ts";
import { Code } from "@connectrpc/connect";
import { accountThrottle, networkThrottle, pairThrottle, type ThrottleRule } from "./limits.ts";
import { networkOf } from "./network.ts";
import { redisClock } from "./redis-clock.ts";

/**
 * KEYS counter; ARGV free, first wait, longest wait, forget after. Counts a failure and says from when
 * on the next attempt is welcome.
 */
const failLua = `
local free, first, longest, forget = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
local wait = 0
if failures > free then wait = math.min(longest, first * 2 ^ math.min(failures - free - 1, 30)) end
redis.call('HSET', KEYS[1], 'until', now + wait)
redis.call('PEXPIRE', KEYS[1], wait + forget)
return wait`;

/** KEYS counter. For how many milliseconds attempts are refused. */
const waitLua = `
return math.max(0, tonumber(redis.call('HGET', KEYS[1], 'until') or '0') - now)`;

/** An attempt to prove a password that may go on. */
export interface LoginAttempt {
  /** The password was wrong, or there is no such account. */
  failed(): Promise<void>;
  succeeded(): Promise<void>;
}

/** Slows down whoever guesses passwords. */
export interface LoginThrottle {
  /**
   * @param ip the client's address; empty when it is not known
   * @throws ConnectError `resource_exhausted` while attempts on the account, from the network, or on
   * the account from the network are refused
   */
  begin(email: string, ip: string): Promise<LoginAttempt>;
}

/**
 * Counts failures by account, by network and by the pair, in Redis. Waits grow with failures, end,
 * and are the same whether the account exists or not. Only failures count, so that many logins at
 * once are fine; how many guesses can be under way at once, the queue for hashing bounds.
 */
export function createLoginThrottle(redis: RedisClient, clock = redisClock): LoginThrottle {
  const fail = redisScript(redis, clock + failLua);
  const wait = redisScript(redis, clock + waitLua);
  return {
    async begin(email, ip) {
      const account = hash(email.toLowerCase());
      const network = networkOf(ip);
      const pair = `auth:l:p:${account}:${network}`;
      const counters: [string, ThrottleRule][] = [
        [pair, pairThrottle],
        [`auth:l:a:${account}`, accountThrottle],
        [`auth:l:n:${network}`, networkThrottle],
      ];
      const waits = await Promise.all(counters.map(([key]) => wait([key], []) as Promise<number>));
      const longest = Math.max(...waits);
      if (longest > 0) throw throttled(longest);
      return {
        async failed() {
          await Promise.all(counters.map(([key, rule]) => fail([key], argsOf(rule))));
        },
        async succeeded() {
          await redis.del(pair);
        },
      };
    },
  };
}

function argsOf({ free, firstWaitMs, longestWaitMs, forgetAfterMs }: ThrottleRule): number[] {
  return [free, firstWaitMs, longestWaitMs, forgetAfterMs];
}

/** Redis need not know who has an account, or tries to guess one. */
function hash(email: string): string {
  return createHash("sha256").update(email).digest("base64url").slice(0, 22);
}

function throttled(waitMs: number) {
  const message = "too many failed attempts to log in";
  return failure(Code.ResourceExhausted, message, Reason.RATE_LIMITED, waitMs);
}
