import { nodesOf, onReconnect, type RedisClient } from "@3l1/kit/stores/redis.ts";
import { redisScript } from "@3l1/kit/stores/redis-script.ts";
import type { Quota, Verdict } from "./gcra.ts";

/**
 * GCRA on the clock of Redis, in microseconds. Past its deadline it writes nothing: a command that
 * timed out here still runs there, and must not charge anybody for an answer that nobody got.
 * Every key it writes expires when it no longer says anything. Its numbers come and go as one text:
 * for a crowd's charges, arrays of Redis cost the gateway several times as much.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local numbers = string.gmatch(ARGV[1], '%S+')
local deadline = tonumber(numbers())
local answers = {string.format('%.0f', now)}
if deadline > 0 and now > deadline then return answers[1] end

local function charge(key, emission, burst)
  local due = tonumber(redis.call('GET', key) or now)
  if due < now then due = now end
  local next = due + emission
  local slack = now - (next - emission * burst)
  if slack < 0 then
    return string.format('0 0 %d %d', math.ceil(-slack / 1000), math.ceil((due - now) / 1000))
  end
  local reset = math.ceil((next - now) / 1000)
  redis.call('SET', key, string.format('%.0f', next), 'PX', reset + 1)
  return string.format('1 %d 0 %d', math.floor(slack / emission), reset)
end

for index, key in ipairs(KEYS) do
  answers[index + 1] = charge(key, tonumber(numbers()), tonumber(numbers()))
end
return table.concat(answers, ' ')
`;

/** Numbers of a verdict: allowed, remaining, retryAfterMs, resetMs. */
const numbersPerVerdict = 4;

/** A key to charge. */
export interface Charge {
  readonly key: string;
  readonly quota: Quota;
}

/** What the script found, and when that was on the clock of Redis. */
export interface ScriptAnswer {
  /** One for each charge; none when it came too late to count. */
  readonly verdicts: readonly Verdict[];
  /** In microseconds since 1970. */
  readonly redisTimeUs: number;
}

/**
 * Charges keys, one after the other.
 *
 * @param deadlineUs on the clock of Redis; 0 for none
 */
export type LimitScript = (charges: readonly Charge[], deadlineUs: number) => Promise<ScriptAnswer>;

/**
 * The script is handed over with each new connection: else the first burst would take two round trips,
 * for which there is no time.
 *
 * In a cluster each key has a call of its own, since keys lie on different nodes. Their clocks differ by
 * more than a deadline allows for, so there is none: a charge that comes late counts all the same.
 */
export function createLimitScript(redis: RedisClient): LimitScript {
  const run = redisScript(redis, script);
  const handOver = () => {
    for (const node of nodesOf(redis)) node.script("LOAD", script).catch(() => {});
  };
  onReconnect(redis, handOver);
  if (redis.status === "ready") handOver();

  const together: LimitScript = async (charges, deadlineUs) => {
    const keys = charges.map(({ key }) => key);
    let numbers = `${deadlineUs}`;
    for (const { quota } of charges)
      numbers += ` ${Math.ceil(quota.emissionMs * 1000)} ${quota.burst}`;
    return readAnswer(String(await run(keys, [numbers])));
  };
  const oneByOne: LimitScript = async (charges) => {
    const answers = await Promise.all(charges.map((charge) => together([charge], 0)));
    const [first] = answers;
    return {
      redisTimeUs: first?.redisTimeUs ?? 0,
      verdicts: answers.flatMap(({ verdicts }) => verdicts),
    };
  };
  return redis.isCluster ? oneByOne : together;
}

function readAnswer(text: string): ScriptAnswer {
  const [redisTimeUs = 0, ...numbers] = text.split(" ").map(Number);
  const verdicts: Verdict[] = [];
  for (let at = 0; at < numbers.length; at += numbersPerVerdict)
    verdicts.push(verdictOf(numbers, at));
  return { redisTimeUs, verdicts };
}

function verdictOf(numbers: readonly number[], at: number): Verdict {
  const [allowed, remaining = 0, retryAfterMs = 0, resetMs = 0] = numbers.slice(
    at,
    at + numbersPerVerdict,
  );
  return { allowed: allowed === 1, remaining, retryAfterMs, resetMs };
}
