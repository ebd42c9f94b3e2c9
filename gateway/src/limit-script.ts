import { redisScript } from "@3l1/kit/redis-script.ts";
import type { Redis } from "ioredis";
import type { Quota, Verdict } from "./gcra.ts";

/**
 * GCRA on the clock of Redis, in microseconds. Past its deadline it writes nothing: a command that
 * timed out here still runs there, and must not charge anybody for an answer that nobody got.
 * Every key it writes expires when it no longer says anything.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local emission, burst, deadline = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if deadline > 0 and now > deadline then return {-1, 0, 0, 0, now} end
local due = tonumber(redis.call('GET', KEYS[1]) or now)
if due < now then due = now end
local next = due + emission
local slack = now - (next - emission * burst)
if slack < 0 then
  return {0, 0, math.ceil(-slack / 1000), math.ceil((due - now) / 1000), now}
end
local reset = math.ceil((next - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', reset + 1)
return {1, math.floor(slack / emission), 0, reset, now}
`;

type Answer = [allowed: number, remaining: number, retryMs: number, resetMs: number, nowUs: number];

/** What the script found, and when that was on the clock of Redis. */
export interface ScriptAnswer {
  /** `undefined` when it came too late to count. */
  readonly verdict: Verdict | undefined;
  /** In microseconds since 1970. */
  readonly redisTimeUs: number;
}

/**
 * Charges a key.
 *
 * @param deadlineUs on the clock of Redis; 0 for none
 */
export type LimitScript = (key: string, quota: Quota, deadlineUs: number) => Promise<ScriptAnswer>;

/**
 * The script is handed over with each new connection: else the first burst would take two round trips,
 * for which there is no time.
 */
export function createLimitScript(redis: Redis): LimitScript {
  const run = redisScript(redis, script);
  const handOver = () => void redis.script("LOAD", script).catch(() => {});
  redis.on("ready", handOver);
  if (redis.status === "ready") handOver();
  return async (key, { burst, emissionMs }, deadlineUs) => {
    const answer = await run([key], [Math.ceil(emissionMs * 1000), burst, deadlineUs]);
    const [state, remaining, retryAfterMs, resetMs, redisTimeUs] = answer as Answer;
    const verdict = { allowed: state === 1, remaining, retryAfterMs, resetMs };
    return { verdict: state < 0 ? undefined : verdict, redisTimeUs };
  };
}
