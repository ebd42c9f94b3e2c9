import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import {
  holding,
  isRevoked,
  me,
  newAddress,
  startTwoGateways,
  type TwoGateways,
} from "../auth/two-gateways.ts";
import { Client, password, register } from "../client.ts";
import { median, percentile, startCrowd, startLoad, statuses } from "./load.ts";

let both: TwoGateways;
before(async () => (both = await startTwoGateways({ ACCESS_TOKEN_TTL_SECONDS: "300" })));
after(() => both.stop());

const logIn = (email: string, secret: string) => {
  const body = { email, password: secret };
  return new Client(both.urls[0]).post("/api/users/log", body, newAddress());
};

test("an unknown account and a wrong password take the same time: medians within 10 %", async (t) => {
  const { id } = await register(both.urls[0]);
  const users = await both.inside.seed(200, id);
  const times: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
  for (const [index, { email }] of users.entries()) {
    const tries = [
      { who: "known", email },
      { who: "unknown", email: `not-${email}` },
    ] as const;
    // In turns, so that what else the machine does falls on both alike.
    for (const { who, email: name } of index % 2 ? tries : tries.toReversed()) {
      const startedAt = performance.now();
      const { status } = await logIn(name, `${password}, but not this one`);
      times[who].push(performance.now() - startedAt);
      assert.equal(status, 401);
    }
  }
  const ratio = median(times.unknown) / median(times.known);
  t.diagnostic(
    `medians ${median(times.known).toFixed(1)} and ${median(times.unknown).toFixed(1)} ms`,
  );
  assert.ok(ratio > 0.9 && ratio < 1.1, `ratio ${ratio.toFixed(3)}`);
});

test("32 logins at once leave the others of the user-service their p99 within 3 times of before", async (t) => {
  const ann = await register(both.urls[0]);
  const users = await both.inside.seed(32, ann.id);
  const logins = users.map(({ email }) => ({
    url: `${both.urls[0]}/api/users/log`,
    method: "POST",
    body: { email, password },
    headers: newAddress(),
  }));
  const load = startLoad({ url: both.urls[0] + me, token: ann.token, perSecond: 100 });
  const p99 = async (): Promise<number> => {
    const from = performance.now();
    await waitFor("samples", () => load.since(from).length >= 300, 60_000);
    const samples = load.since(from);
    assert.deepEqual(Object.keys(statuses(samples)), ["200"]);
    return percentile(samples, 0.99);
  };
  const crowd = async (): Promise<number> => {
    const flood = startCrowd(logins);
    const busy = await p99();
    await flood.stop();
    t.diagnostic(`logins: ${JSON.stringify(statuses(flood.samples))}`);
    return busy;
  };
  // Both sides warm up unjudged. Then in turns, so that what else the machine does falls on both alike.
  await p99();
  await crowd();
  const times: Record<"before" | "meanwhile", number[]> = { before: [], meanwhile: [] };
  for (let round = 1; round <= 5; round++) {
    times.before.push(await p99());
    times.meanwhile.push(await crowd());
  }
  await load.stop();
  const shown = (all: readonly number[]) => all.map((ms) => ms.toFixed(1)).join(", ");
  t.diagnostic(`p99 ${shown(times.before)} ms before`);
  t.diagnostic(`p99 ${shown(times.meanwhile)} ms with 32 logins under way at any moment`);
  const ratio = median(times.meanwhile) / median(times.before);
  t.diagnostic(`ratio of the medians ${ratio.toFixed(2)}`);
  assert.ok(ratio <= 3, `ratio ${ratio.toFixed(2)}`);
});

test("a revoked token is dead on the other gateway within a second, a 300th of its life", async (t) => {
  const users = await both.inside.seed(50);
  const times: number[] = [];
  for (const { cookie } of users) {
    const client = holding(both.urls[0], { cookie });
    assert.equal((await client.get(me)).status, 200);
    const { token } = client;
    assert.equal((await holding(both.urls[1], { token }).get(me)).status, 200);
    assert.equal((await client.post("/api/users/out")).status, 204);
    const answeredAt = performance.now();
    await waitFor("the token to die", () => isRevoked(both.urls[1], token));
    times.push(performance.now() - answeredAt);
  }
  t.diagnostic(
    `median ${median(times).toFixed(1)} ms, longest ${Math.max(...times).toFixed(1)} ms`,
  );
  assert.ok(Math.max(...times) / 300_000 < 1 / 300);
});
