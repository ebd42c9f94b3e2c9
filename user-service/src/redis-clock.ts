/**
 * Lua that sets the local `now` to the time of Redis, in milliseconds: the clock of all our scripts, so
 * that those of our copies do not matter. Tests bring one they can turn.
 */
export const redisClock = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;
