import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "../../dev/wait-for.ts";
import { Client, password, register } from "../client.ts";
import { createRandom, inBatches } from "./many.ts";
import {
  holding,
  isRevoked,
  me,
  newAddress,
  startTwoGateways,
  type TwoGateways,
} from "./two-gateways.ts";

let both: TwoGateways;
before(async () => (both = await startTwoGateways()));
after(() => both.stop());

test("500 refreshes race a revocation each: no session, cookie or token survives", async (t) => {
  const random = createRandom(t);
  const users = await both.inside.seed(500);
  const url = () => both.urls[random(2)] as string;
  let won = 0;
  await inBatches(users, 10, async ({ id, sessionId, cookie }) => {
    const refreshes = [holding(url(), { cookie }), holding(url(), { cookie })];
    const out = () => holding(url(), { cookie }).post("/api/users/out");
    const steps = refreshes.map((client) => () => client.get(me));
    steps.splice(random(3), 0, out as never);
    await Promise.all(steps.map((step) => step()));

    assert.equal(await both.inside.sessionField(id, sessionId, "gen"), null);
    for (const client of refreshes.filter(({ token }) => token !== undefined)) {
      won++;
      await assertDead(client);
    }
  });
  t.diagnostic(`${won} of 1000 refreshes came before the revocation`);
  assert.ok(won > 50 && won < 950, "it was a race");
});

test("200 logins with the old password race its change: of the old password nothing survives", async (t) => {
  const random = createRandom(t);
  const url = () => both.urls[random(2)] as string;
  const { id } = await register(url());
  let won = 0;
  const races = (await both.inside.seed(200, id)).map((user) => {
    const owner = holding(url(), { cookie: user.cookie });
    const other = new Client(url());
    const address = newAddress();
    const statuses: { change?: number; login?: number } = {};
    return {
      async change() {
        const body = { currentPassword: password, newPassword: `${password} that is new` };
        statuses.change = (await owner.post("/api/users/password", body, address)).status;
        await this.judge();
      },
      async login() {
        const body = { email: user.email, password };
        statuses.login = (await other.post("/api/users/log", body, address)).status;
        await this.judge();
      },
      async judge() {
        const { change, login } = statuses;
        if (change === undefined || login === undefined) return;
        assert.equal(change, 200);
        assert.ok(login === 200 || login === 401, `${login}`);
        if (login === 200) won++;
        if (login === 200) await assertDead(other);
        assert.equal((await both.inside.sessionsOf(user.id)).length, 1, "the owner's new one");
        assert.equal((await holding(url(), { cookie: owner.cookie }).get(me)).status, 200);
      },
    };
  });
  // A few at a time, and each pair a little apart: so they meet at every stage.
  const steps = races.flatMap((race, index) => [
    { at: index + random(6), run: () => race.change() },
    { at: index + random(6), run: () => race.login() },
  ]);
  const mixed = steps.sort((one, next) => one.at - next.at);
  await inBatches(mixed, 6, ({ run }) => run());
  t.diagnostic(`${won} of 200 logins came before the change`);
  assert.ok(won > 10 && won < 190, "it was a race");
});

/** Neither its cookie nor its token opens anything, on either gateway. */
async function assertDead({ token, cookie }: Client): Promise<void> {
  for (const url of both.urls) {
    assert.equal((await holding(url, { cookie }).get(me)).status, 401);
    await waitFor("the token to die", () => isRevoked(url, token), 5_000);
  }
}
