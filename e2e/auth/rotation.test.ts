import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Answer, register } from "../client.ts";
import {
  holding,
  isRevoked,
  me,
  startTwoGateways,
  type TwoGateways,
  whenExpired,
  whenRevoked,
} from "./two-gateways.ts";

let both: TwoGateways;
before(async () => (both = await startTwoGateways()));
after(() => both.stop());

const cookiesOf = ({ headers }: Answer<unknown>) =>
  headers.getSetCookie().map((cookie) => cookie.split(";")[0]);

test("a hundred requests at once with one old cookie, over both gateways, share one new cookie", async () => {
  const ann = await whenExpired(await register(both.urls[0]));
  const { token, cookie } = ann;
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      holding(both.urls[index % 2] as string, { token, cookie }).get(me),
    ),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  const cookies = new Set(answers.flatMap(cookiesOf));
  assert.equal(cookies.size, 1);
  assert.ok(!cookies.has(cookie), "and it is a new one");
});

test("a lost answer costs nothing however late; once the new cookie was used the old one ends all", async () => {
  const [first, second] = both.urls;
  const ann = await whenExpired(await register(first));
  const old = { token: ann.token, cookie: ann.cookie };

  const lost = holding(first, old);
  assert.equal((await lost.get(me)).status, 200);
  await whenExpired(lost);
  const late = holding(second, old);
  assert.equal((await late.get(me)).status, 200);
  assert.equal(late.cookie, lost.cookie, "the very same successor");

  assert.equal((await late.get(me)).status, 200, "the new token shows that the answer arrived");
  const used = { token: late.token, cookie: late.cookie };
  await waitFor("the old cookie to be taken for a thief's", async () => {
    const thief = holding(first, old);
    return (await thief.get(me)).status === 401;
  });
  await Promise.all(both.urls.map((url) => whenRevoked(url, used.token)));
  for (const url of both.urls) {
    const { cookie } = used;
    assert.equal((await holding(url, { cookie }).get(me)).status, 401, "the family is gone");
  }
});

test("a thief with the newest cookie is found out by the owner's next use, and loses it", async () => {
  const [first, second] = both.urls;
  const ann = await whenExpired(await register(first));
  const thief = holding(second, { cookie: ann.cookie });
  assert.equal((await thief.get(me)).status, 200);
  await whenExpired(thief);
  assert.equal((await thief.get(me)).status, 200, "it goes on, generation after generation");
  assert.equal((await ann.get(me)).status, 401);
  await Promise.all(both.urls.map((url) => whenRevoked(url, thief.token)));
  assert.equal((await holding(second, { cookie: thief.cookie }).get(me)).status, 401);
  assert.equal(await isRevoked(first, (await register(first)).token), false, "nobody else's is");
});
