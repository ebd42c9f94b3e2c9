import { redisClock } from "./redis-clock.ts";

// What happens to sessions in Redis, each script atomic and within one user's hash tag. Times are
// those of Redis, in milliseconds, so that the clocks of several copies do not matter. Nothing here
// needs a deadline of its own: a script that runs after its caller gave up leaves a session nobody has
// a key of, or a successor that its predecessor still opens, or ends what was to end.

export type SessionScripts = ReturnType<typeof sessionScripts>;

/** @param clock Lua that sets the local \`now\` */
export function sessionScripts(clock = redisClock) {
  return {
    /**
     * KEYS session, index, epoch floor; ARGV sid, epoch, idle, absolute, most sessions, prefix of
     * sessions, device, ip. Returns \`stale\` if the user was revoked in between, else \`created\`, the
     * life, and the sessions that had to go.
     */
    create: `${clock}
local sid, epoch = ARGV[1], tonumber(ARGV[2])
local idle, absolute, most, prefix = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
if epoch < tonumber(redis.call('GET', KEYS[3]) or '0') then return {'stale'} end
for _, other in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if redis.call('EXISTS', prefix .. other) == 0 then redis.call('ZREM', KEYS[2], other) end
end
local life = math.min(idle, absolute)
redis.call('HSET', KEYS[1], 'ep', epoch, 'gen', 0, 'rotated', now, 'confirmed', 0,
  'ends', now + absolute, 'created', now, 'seen', now, 'device', ARGV[7], 'ip', ARGV[8])
redis.call('PEXPIRE', KEYS[1], life)
redis.call('ZADD', KEYS[2], now, sid)
redis.call('PEXPIRE', KEYS[2], absolute)
local answer = {'created', life}
for _, oldest in ipairs(redis.call('ZRANGE', KEYS[2], 0, -most - 1)) do
  redis.call('DEL', prefix .. oldest)
  redis.call('ZREM', KEYS[2], oldest)
  table.insert(answer, oldest)
end
return answer`,

    /**
     * For a session key whose HMAC holds. KEYS session, index; ARGV sid, generation of the key, the
     * user's epoch, rotate after, grace, idle, ip. Returns what became of it, the generation whose key
     * opens the session from now on, and its life.
     */
    rotate: `${clock}
local presented, epoch = tonumber(ARGV[2]), tonumber(ARGV[3])
local rotateAfter, grace, idle = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local fields = redis.call('HMGET', KEYS[1], 'ep', 'gen', 'rotated', 'confirmed', 'ends')

-- 1. Never recreates a session, so a revocation always wins.
if not fields[1] then return {'gone'} end
local gen, rotated, ends = tonumber(fields[2]), tonumber(fields[3]), tonumber(fields[5])
local confirmed = fields[4] == '1'
-- Where the clock was set back, no time has passed, as far as anyone can tell.
if rotated > now then
  rotated = now
  redis.call('HSET', KEYS[1], 'rotated', now)
end

local function kill(why)
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {why}
end
local function keep(outcome, ...)
  local life = math.min(idle, ends - now)
  redis.call('HSET', KEYS[1], 'seen', now, ...)
  if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'ip', ARGV[7]) end
  redis.call('PEXPIRE', KEYS[1], life)
  return {outcome, gen, life}
end

-- 2. The user was revoked, or the session's time is over.
if tonumber(fields[1]) < epoch then return kill('killed') end
if now >= ends then return kill('killed') end

if presented == gen then
  -- 3. Young enough. Whoever shows the current key has it, so the one before is done with.
  if now - rotated < rotateAfter then return keep('fresh', 'confirmed', 1) end
  -- 4. Time for a new one.
  gen = gen + 1
  return keep('rotated', 'gen', gen, 'rotated', now, 'confirmed', 0)
end

if presented == gen - 1 then
  -- 5. Parallel requests and lost answers get the very same successor. Until that is known to have
  -- arrived, its time counts from when it was handed out last: others may be under way that were sent
  -- together with this one, and they bring the old key too.
  if not confirmed then return keep('replayed', 'rotated', now) end
  if now - rotated <= grace then return keep('replayed') end
end

-- 6. We handed this key out, so a failover lost a write: the key is right, and Redis behind.
if presented > gen then
  gen = presented
  return keep('fresh', 'gen', gen, 'rotated', now, 'confirmed', 1)
end

-- 7. A key that was replaced, and whose successor is in use: one of the two is a thief's.
return kill('theft')`,

    /** KEYS session; ARGV generation. Whoever used a token of it has the key of it. */
    confirm: `
if redis.call('HGET', KEYS[1], 'gen') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'confirmed', 1)
return 1`,

    /** KEYS session, index; ARGV sid. */
    revokeSession: `
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('DEL', KEYS[1])`,

    /**
     * KEYS session, count; ARGV most, life of the count. Whether to revoke the session: it is here, or it
     * may have been, and not too many have been named lately that are not.
     */
    mayRevoke: `
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
local count = redis.call('INCR', KEYS[2])
if count == 1 then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
return count <= tonumber(ARGV[1]) and 1 or 0`,

    /**
     * KEYS index, epoch floor; ARGV epoch, life of the floor, prefix of sessions. Ends all sessions
     * below the epoch, and for a while lets nobody open one: a login that read the old epoch loses.
     */
    revokeUser: `
local epoch = math.max(tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[2]) or '0'))
redis.call('SET', KEYS[2], epoch, 'PX', ARGV[2])
local ended = 0
for _, sid in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local session = ARGV[3] .. sid
  if tonumber(redis.call('HGET', session, 'ep') or '-1') < epoch then
    ended = ended + redis.call('DEL', session)
    redis.call('ZREM', KEYS[1], sid)
  end
end
return ended`,

    /** KEYS index; ARGV prefix of sessions. Returns sid, created, seen, device, ip, the latest first. */
    list: `
local sessions = {}
for _, sid in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  local fields = redis.call('HMGET', ARGV[1] .. sid, 'created', 'seen', 'device', 'ip')
  if fields[1] then table.insert(sessions, {sid, unpack(fields)}) end
end
return sessions`,
  };
}
