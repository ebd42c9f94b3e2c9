import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Answer, Client, password, register } from "../client.ts";
import { shared } from "../second-gateway.ts";
import { type Asking, keepAsking } from "./keep-asking.ts";
import { createRandom, inBatches } from "./many.ts";
import {
  holding,
  isRevoked,
  me,
  newAddress,
  startTwoGateways,
  type TwoGateways,
} from "./two-gateways.ts";

const run = promisify(execFile);
let both: TwoGateways;
before(async () => (both = await startTwoGateways()));
after(async () => {
  await asking?.stop();
  await both.stop();
});

let ann: Client;
let asking: Asking | undefined;
let newKey = "";
const publishedBy = async (url: string) => {
  const jwks = await new Client(url).get<{ keys: { kid: string }[] }>("/.well-known/jwks.json");
  return jwks.body.keys.map(({ kid }) => kid);
};

test("signing keys are rotated by a command: twice makes one key, with the wrong secret none", async () => {
  ann = await register(both.urls[0]);
  asking = keepAsking(ann, both.urls);
  const secret = { SECRET_KEYS: shared.SECRET_KEYS };
  const wrong = /SECRET_KEYS does not open the latest signing key/;
  await assert.rejects(rotateKeys({}), ({ stderr }) => wrong.test(stderr));
  const told = await Promise.all([rotateKeys(secret), rotateKeys(secret)]);
  const last = await rotateKeys(secret);
  [, newKey = ""] = /^key (\S+) was published before and signs from 2/.exec(last) ?? [];
  assert.ok(newKey !== "" && told.every((line) => line.includes(newKey)), "one key");
  assert.notEqual(keyIdOf(ann.token), newKey, "it does not sign yet");
});

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
  assert.ok(won > 0 && won < 1000, "it was a race");
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
        const change = () => owner.post("/api/users/password", body, address);
        statuses.change = await statusOnceServed(change);
        await this.judge();
      },
      async login() {
        const body = { email: user.email, password };
        statuses.login = await statusOnceServed(() => other.post("/api/users/log", body, address));
        await this.judge();
      },
      async judge() {
        const { change, login } = statuses;
        if (change === undefined || login === undefined) return;
        assert.equal(change, 200);
        assert.ok(login === 200 || login === 401, `${login}`);
        if (login === 200) won++;
        // Before anybody shows the other's cookie, which would end its session if nothing else had.
        assert.equal((await both.inside.sessionsOf(user.id)).length, 1, "the owner's new one");
        if (login === 200) await assertDead(other);
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
  assert.ok(won > 0 && won < 200, "it was a race");
});

test("all that time the signing keys were rotating, and nobody was logged out", async () => {
  for (const url of both.urls) {
    const isPublished = async () => (await publishedBy(url)).includes(newKey);
    await waitFor("the new key to be published, before it signs", isPublished, 60_000);
  }
  // Nobody is left who has to hear of it, so the rest of its minute need not be waited for.
  await both.inside.letSign(newKey);
  await waitFor("a token of the new key", () => keyIdOf(ann.token) === newKey, 60_000);
  await asking?.stop();
  assert.deepEqual([...(asking?.counts.keys() ?? [])], [200]);
  for (const url of both.urls)
    assert.equal((await publishedBy(url)).length, 2, "the old key verifies on");
});

/** A busy machine turns passwords away, unread, when too many wait to be hashed. */
async function statusOnceServed(ask: () => Promise<Answer<unknown>>): Promise<number> {
  return waitFor("a turn", async () => {
    const { status } = await ask();
    return status !== 503 && status;
  });
}

/** `npm run keys -- rotate`, for the platform of this story. */
async function rotateKeys(env: Record<string, string>): Promise<string> {
  const { stdout } = await run(process.execPath, ["dev/keys.ts", "rotate"], {
    cwd: join(import.meta.dirname, "../.."),
    env: { PATH: process.env.PATH, PLATFORM_DIR: both.platform.folder, ...env },
    timeout: 60_000,
  });
  return stdout;
}

function keyIdOf(token = ""): string {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
}

/** Neither its cookie nor its token opens anything, on either gateway. */
async function assertDead({ token, cookie }: Client): Promise<void> {
  for (const url of both.urls) {
    assert.equal((await holding(url, { cookie }).get(me)).status, 401);
    await waitFor("the token to die", () => isRevoked(url, token));
  }
}
