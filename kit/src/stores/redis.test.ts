import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { test } from "node:test";
import { createLogger } from "../logger.ts";
import { waitFor } from "../wait-for.ts";
import { openRedis, redisReady } from "./redis.ts";

test("a server that has become a replica is left for the one that the name leads to", async () => {
  const url = new URL(process.env.TEST_REDIS_URL ?? "");
  const target = { host: url.hostname, port: Number(url.port || 6379) };
  let connections = 0;
  /** The first connection is to a server that is a primary no more, all others are to the new one. */
  const proxy = net.createServer((near) => {
    const isReplica = ++connections === 1;
    const far = net.connect(target).on("error", () => {});
    near.on("error", () => {}).on("close", () => far.destroy());
    far.pipe(near);
    near.on("data", (piece) => {
      if (isReplica && piece.includes("demotion"))
        near.write("-READONLY You can't write against a read only replica.\r\n");
      else far.write(piece);
    });
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const logger = createLogger("test", "silent");
  const redis = openRedis({ url: url.href, name: "test", logger, commandTimeoutMs: 10_000 });
  const write = () => redis.set("test:demotion", "1", "PX", 1_000);
  try {
    assert.ok(await redisReady(redis, 10_000));
    await assert.rejects(write(), { message: /^READONLY/ });
    await waitFor("a write", () => write().catch(() => undefined));
  } finally {
    redis.disconnect();
    proxy.close();
  }
});
