import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Redis } from "ioredis";
import { openPlatform } from "../dev/platform.ts";
import { claimPorts } from "../dev/port-block.ts";
import type { ManagedProcess } from "../dev/process.ts";
import { findRedis } from "../dev/redis-program.ts";
import { randomKey } from "../dev/secrets.ts";
import { type Killable, killable } from "./fleet-instance.ts";

const slots = 16_384;
const startWithinMs = 120_000;
const stopWithinMs = 10_000;

/** Three masters, each with a third of the slots. */
export interface RedisCluster extends AsyncDisposable {
  /** For `REDIS_URL`. */
  readonly url: string;
  /** Which node, by index, has the keys of a hash tag. */
  nodeOf(tag: string): Promise<number>;
  /** One that is killed comes back with its data. */
  readonly nodes: readonly (Killable & { readonly redis: Redis })[];
}

/** Starts three processes and makes them one cluster, by the commands that `redis-cli --cluster create` sends. */
export async function startRedisCluster(): Promise<RedisCluster> {
  await using scope = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "3l1-cluster-"));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  const { ports, release } = await claimPorts();
  scope.defer(release);
  const { manage, stop } = await openPlatform(folder, () => {});
  scope.defer(stop);
  const signal = AbortSignal.timeout(startWithinMs);
  const redisServer = await findRedis(join(folder, "program"), signal, () => {});
  const password = randomKey();

  const start = async (index: number) => {
    const [port = 0, busPort = 0] = ports.slice(2 * index);
    const data = join(folder, `node-${index}`);
    mkdirSync(data);
    const process = manage({
      name: `redis-${index}`,
      role: "store",
      command: redisServer.program,
      args: ["-"],
      input: configuration({ data, port, busPort, password }),
      env: redisServer.env,
      logFile: join(data, "redis.log"),
      stopSignal: "SIGINT",
      killAfterMs: stopWithinMs,
    });
    const redis = new Redis({ port, password, maxRetriesPerRequest: null });
    scope.defer(() => redis.disconnect());
    redis.on("error", () => {});
    const answers = async () => (await redis.ping()) === "PONG";
    await process.start(answers, { deadlineMs: startWithinMs, signal });
    return { process, redis, port, busPort };
  };
  const nodes = await Promise.all([0, 1, 2].map(start));
  await connectAll(nodes);
  const rest = scope.move();
  return {
    url: nodes.map(({ port }) => `redis://default:${password}@127.0.0.1:${port}`).join(","),
    async nodeOf(tag) {
      const slot = Number(await nodes[0]?.redis.call("CLUSTER", "KEYSLOT", `{${tag}}`));
      return Math.floor((slot * nodes.length) / slots);
    },
    nodes: nodes.map(({ process, redis }) => Object.assign(killable(process), { redis })),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

interface Node {
  readonly process: ManagedProcess;
  readonly redis: Redis;
  readonly port: number;
  readonly busPort: number;
}

function configuration(node: { data: string; port: number; busPort: number; password: string }) {
  return [
    "bind 127.0.0.1",
    `port ${node.port}`,
    `requirepass ${node.password}`,
    `dir ${JSON.stringify(node.data)}`,
    "appendonly yes",
    'save ""',
    "cluster-enabled yes",
    `cluster-port ${node.busPort}`,
    "cluster-node-timeout 2000",
    // What the other nodes have goes on while one is away.
    "cluster-require-full-coverage no",
    "",
  ].join("\n");
}

async function connectAll(nodes: readonly Node[]): Promise<void> {
  const [first, ...others] = nodes;
  for (const [index, { redis }] of nodes.entries()) {
    const from = Math.floor((index * slots) / nodes.length);
    const to = Math.floor(((index + 1) * slots) / nodes.length) - 1;
    await redis.call("CLUSTER", "ADDSLOTSRANGE", from, to);
    await redis.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
  }
  for (const { port, busPort } of others)
    await first?.redis.call("CLUSTER", "MEET", "127.0.0.1", port, busPort);
  for (const { redis } of nodes)
    await waitFor("the cluster", async () => {
      const info = String(await redis.call("CLUSTER", "INFO"));
      return (
        info.includes("cluster_state:ok") &&
        info.includes(`known_nodes:${nodes.length}`) &&
        info.includes(`cluster_slots_assigned:${slots}`)
      );
    });
}
