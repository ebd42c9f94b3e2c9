import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { sessionScripts } from "../src/session-scripts.ts";
import { createSessionStore, type SessionTimes } from "../src/session-store.ts";

/** A session store whose clock the test turns. Each session has a clock of its own. */
export function storeWithTurnedClock(redis: RedisClient, times: SessionTimes) {
  const lua = "local now = tonumber(redis.call('GET', 'test:clock:' .. KEYS[1]))\n";
  const store = createSessionStore(redis, times, sessionScripts(lua));
  /** Sets the clock for the next script on a session. Commands of a connection run in their order. */
  const turn = (userId: string, sessionId: string, nowMs: number) =>
    void redis.set(`test:clock:auth:s:{${userId}}:${sessionId}`, nowMs, "PX", 600_000);
  return { store, turn };
}
