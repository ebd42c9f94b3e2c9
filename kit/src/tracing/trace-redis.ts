import type { Redis } from "ioredis";
import type { RedisClient } from "../stores/redis.ts";
import type { Tracing } from "./tracing.ts";

/** Has a connection show its commands, by name and without keys, below the span that is current. */
export function traceRedis(redis: RedisClient, tracing: Tracing): void {
  const send = redis.sendCommand.bind(redis) as Redis["sendCommand"];
  redis.sendCommand = (...call: Parameters<Redis["sendCommand"]>) => {
    const [command] = call;
    const parent = tracing.current()?.traceparent;
    if (parent === undefined) return send(...call);
    const attributes = { "db.system.name": "redis", "db.operation.name": command.name };
    const span = tracing.start("client", command.name, parent, attributes);
    command.promise.then(
      () => span?.end(),
      () => span?.end({ failed: true }),
    );
    return send(...call);
  };
}
