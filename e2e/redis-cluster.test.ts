import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { metricOf } from "./admin-pages.ts";
import { isRevoked, me, whenExpired, whenRevoked } from "./auth/two-gateways.ts";
import { logIn, password, placeOrder, register } from "./client.ts";
import { type RedisCluster, startRedisCluster } from "./redis-cluster.ts";

let cluster: RedisCluster;
let platform: Platform;
before(async () => {
  cluster = await startRedisCluster();
  platform = await startPlatform({
    REDIS_URL: cluster.url,
    ACCESS_TOKEN_TTL_SECONDS: "3",
    SESSION_ROTATE_AFTER_SECONDS: "1",
    SESSION_GRACE_SECONDS: "1",
    // A key of the limiter lives until its user has all of the burst again.
    RATE_LIMIT_IP_PER_MINUTE: "1000000",
    RATE_LIMIT_USER_PER_MINUTE: "1000",
  });
});
after(async () => {
  await platform?.stop();
  await cluster?.[Symbol.asyncDispose]();
});

type Person = Awaited<ReturnType<typeof register>>;

/** People by the node that has their sessions: two or more on each. */
async function people(): Promise<Person[][]> {
  const byNode: Person[][] = cluster.nodes.map(() => []);
  while (byNode.some(({ length }) => length < 2)) {
    const person = await register(platform.gatewayUrl);
    byNode[await cluster.nodeOf(person.id)]?.push(person);
  }
  return byNode;
}

const sessions = (person: Person) => person.get("/api/users/sessions");

test("sessions and limits lie on all nodes, and everything works", async () => {
  const everybody = await people();
  for (const person of everybody.flat()) await placeOrder(person);
  for (const [index, { redis }] of cluster.nodes.entries()) {
    for (const { id } of everybody[index] ?? [])
      assert.equal((await redis.keys(`auth:s:{${id}}:*`)).length, 1);
    await waitFor("the limiter's keys", async () => {
      // Ten of each at once: their keys live until they may have ten more, which is long enough to see them.
      const asking = everybody.flat().flatMap((each) => Array<Person>(10).fill(each));
      const statuses = await Promise.all(asking.map(async (each) => (await sessions(each)).status));
      assert.deepEqual(new Set(statuses), new Set([200]));
      return (await redis.keys("limit:*")).length > 0;
    });
  }
  const { adminUrl } = (await platform.now()).gateway;
  const fallbacks = () => metricOf(adminUrl, "rate_limit_fallbacks_total");
  // A busy machine may let one verdict come too late. What no cluster takes never counts.
  await waitFor("the cluster to give every verdict", async () => {
    const before = await fallbacks();
    for (const person of everybody.flat()) assert.equal((await sessions(person)).status, 200);
    return (await fallbacks()) === before;
  });
});

test("tokens are renewed, and what is revoked is dead", async () => {
  const everybody = (await people()).flat();
  for (const [index, person] of everybody.entries()) {
    const { token } = await whenExpired(person);
    assert.equal((await person.get(me)).status, 200);
    assert.notEqual(person.token, token);
    const other = await logIn(platform.gatewayUrl, person.email, password);
    const act = [
      () => person.post("/api/users/out"),
      () => other.post("/api/users/out?everywhere=true"),
      () => person.delete("/api/users/del"),
    ][index % 3];
    assert.equal((await act?.())?.status, 204);
    assert.ok(await isRevoked(platform.gatewayUrl, person.token));
  }
});

test("one node away: its users wait, the others go on, and its return is enough", async () => {
  const [rest, lost, more] = await people();
  const [gone, ...others] = lost ?? [];
  assert.ok(gone && rest && more);
  cluster.nodes[1]?.kill();
  await waitFor("it to be missed", async () => (await sessions(gone)).status === 503);
  for (const person of [...rest, ...more]) assert.equal((await sessions(person)).status, 200);
  for (const person of [gone, ...others])
    await waitFor("it to be back", async () => (await sessions(person)).status === 200);
  assert.equal((await gone.post("/api/users/out")).status, 204);
  await whenRevoked(platform.gatewayUrl, gone.token);
});

test("all nodes away: it is said why, and their return is enough", async () => {
  const [[person] = []] = await people();
  assert.ok(person);
  for (const node of cluster.nodes) node.kill();
  await waitFor("them to be missed", async () => {
    const { status, body } = await sessions(person);
    assert.ok(status === 200 || body.reason === "session_store_unavailable", JSON.stringify(body));
    return status === 503;
  });
  await waitFor("them to be back", async () => (await sessions(person)).status === 200);
});
