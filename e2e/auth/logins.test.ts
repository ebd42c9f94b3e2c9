import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { breakerOf, metricOf } from "../admin-pages.ts";
import { type Answer, Client, type Problem, password, register } from "../client.ts";
import { newAddress, startTwoGateways, type TwoGateways } from "./two-gateways.ts";

let both: TwoGateways;
// However slow the machine: what waits for a hash is to get its turn.
before(async () => (both = await startTwoGateways({ UPSTREAM_TIMEOUT_MS: "30000" })));
after(() => both.stop());

const wrongPassword = `${password}, but not this one`;

function logIn(url: string, email: string, secret: string, address: Record<string, string>) {
  return new Client(url).post<Problem>("/api/users/log", { email, password: secret }, address);
}

/** All that a client can tell answers apart by. */
function appearance({ status, headers, body }: Answer<Problem>) {
  const own = ["date", "x-request-id", "traceparent"];
  const rest = [...headers].filter(([name]) => !own.includes(name));
  return { status, headers: rest, body: { ...body, requestId: body.requestId.length } };
}

test("an unknown account and a wrong password get the same answer: status, headers and body", async () => {
  const ann = await register(both.urls[0]);
  for (const url of both.urls) {
    const wrong = await logIn(url, ann.email, wrongPassword, newAddress());
    const unknown = await logIn(url, `not-${ann.email}`, wrongPassword, newAddress());
    assert.equal(wrong.status, 401);
    assert.deepEqual(appearance(unknown), appearance(wrong));
  }
});

test("guessing is slowed down alike whether the account exists or not, on whichever gateway", async () => {
  const guess = async (email: string) => {
    const address = newAddress();
    const seen: string[] = [];
    let sixthAt = 0;
    for (let index = 0; index < 9; index++) {
      if (index === 5) sixthAt = performance.now();
      const url = both.urls[index % 2] as string;
      const { status, headers, body } = await logIn(url, email, wrongPassword, address);
      seen.push(`${status} ${body.reason ?? ""} ${headers.get("retry-after") ?? ""}`);
    }
    return { seen, pauseMs: performance.now() - sixthAt };
  };
  const slowed = [...Array(6).fill("401  "), ...Array(3).fill("429 rate_limited 1")];
  // The first pause lasts a second: a machine may need longer for the guesses in it.
  const ann = await waitFor("guesses during the pause", async () => {
    const owner = await register(both.urls[0]);
    const [known, unknown] = await Promise.all([guess(owner.email), guess(`not-${owner.email}`)]);
    const isLate = [known, unknown].some(
      ({ seen, pauseMs }) => pauseMs >= 1_000 && !isDeepStrictEqual(seen, slowed),
    );
    if (isLate) return false;
    assert.deepEqual(known.seen, slowed);
    assert.deepEqual(unknown.seen, slowed);
    return owner;
  });
  const elsewhere = await logIn(both.urls[0], ann.email, password, newAddress());
  assert.equal(elsewhere.status, 200, "the owner, at another address, is not locked out");
});

test("passwords are hashed a few at a time, others wait, and too many are sent away for a while", async () => {
  const { id } = await register(both.urls[0]);
  const users = await both.inside.seed(120, id);
  const { userService, gateway } = await both.platform.now();
  let isOver = false;
  const flood = Promise.all(
    users.map(({ email }, index) =>
      logIn(both.urls[index % 2] as string, email, password, newAddress()),
    ),
  ).finally(() => {
    isOver = true;
  });
  const most = { running: 0, waiting: 0 };
  while (!isOver)
    for (const state of ["running", "waiting"] as const) {
      const count = await metricOf(userService.adminUrl, "password_hashes", { state });
      most[state] = Math.max(most[state], count);
    }
  const answers = await flood;
  const refused = answers.filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0 && refused.length < answers.length);
  for (const { status, headers, body } of refused) {
    assert.equal(status, 503, JSON.stringify(body));
    assert.ok(["password_hashing_busy", "overloaded"].includes(body.reason ?? ""), body.reason);
    assert.ok(Number(headers.get("retry-after")) >= 1);
  }
  assert.ok(most.running >= 1 && most.running <= 3, `${most.running} at a time`);
  assert.ok(most.waiting >= 1 && most.waiting <= 64, `${most.waiting} wait`);
  for (const url of [gateway.adminUrl, both.second.adminUrl])
    assert.deepEqual((await breakerOf(url, "user-service")).transitions, [], "no breaker opened");
});
