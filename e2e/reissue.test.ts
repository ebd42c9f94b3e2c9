import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import type { IntrospectResponseJson } from "@3l1/gen/user/v1/user_service_pb.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { claimsOf } from "./auth/two-gateways.ts";
import { type Answer, Client, items, register } from "./client.ts";

const nobody = "01980000-0000-7000-8000-000000000001";
let platform: Platform;
let url: string;
before(async () => {
  platform = await startPlatform({
    ACCESS_TOKEN_TTL_SECONDS: "2",
    SESSION_ROTATE_AFTER_SECONDS: "1",
    SESSION_GRACE_SECONDS: "1",
  });
  url = platform.gatewayUrl;
});
after(() => platform.stop());

/** Somebody whose token has just expired. */
async function registerAndExpire(name?: string) {
  const client = await register(url, name);
  const { token } = client;
  await waitFor("the token to expire", async () => {
    const { body } = await new Client(url).post<IntrospectResponseJson>("/api/users/ext", {
      token,
    });
    return body.active === false;
  });
  return client;
}

function holding(token: string | undefined, cookie: string | undefined): Client {
  return Object.assign(new Client(url), { token, cookie });
}

const isReissued = ({ headers }: Answer<unknown>) =>
  headers.has("x-access-token") && headers.getSetCookie().length === 1;
const isUntouched = ({ headers }: Answer<unknown>) =>
  !headers.has("x-access-token") && headers.getSetCookie().length === 0;

test("an expired token with a good cookie goes through and brings a new token and cookie", async () => {
  const ann = await registerAndExpire();
  const { token, cookie } = ann;
  const answer = await ann.get("/api/users/me");
  assert.equal(answer.status, 200);
  assert.ok(isReissued(answer));
  assert.equal(answer.headers.get("x-access-token-expires-in"), "2");
  assert.match(answer.headers.get("cache-control") ?? "", /no-store/);
  assert.notEqual(ann.token, token);
  assert.notEqual(ann.cookie, cookie);
  await assertTokenIsGood(ann);
});

/** Without its cookie. A machine that stops for a while lets a token expire: then the cookie brings another. */
async function assertTokenIsGood(client: Client): Promise<void> {
  await waitFor("a token to be shown before it expires", async () => {
    assert.equal((await client.get("/api/users/me")).status, 200);
    const { status } = await holding(client.token, undefined).get("/api/users/me");
    const hasExpired = Date.now() >= claimsOf(client.token).exp * 1000;
    assert.ok(status === 200 || hasExpired, `${status} for a token that has not expired`);
    return status === 200;
  });
}

test("the cookie alone is enough, and an error brings the new token as well", async () => {
  const ann = await registerAndExpire();
  const answer = await holding(undefined, ann.cookie).get(`/api/orders/info?id=${nobody}`);
  assert.equal(answer.status, 404);
  assert.ok(isReissued(answer));
});

test("an unsafe request goes through as well, and happens once", async () => {
  const ann = await registerAndExpire();
  const answer = await ann.post("/api/orders/add", { items, currencyCode: "EUR" });
  assert.equal(answer.status, 201);
  assert.ok(isReissued(answer));
  const { body } = await ann.get<{ orders: unknown[] }>("/api/orders/list");
  assert.equal(body.orders.length, 1);
});

test("an expired token without a cookie is 401, and the answer says why", async () => {
  const ann = await registerAndExpire();
  const expired = await holding(ann.token, undefined).get("/api/users/me");
  assert.equal(expired.status, 401);
  assert.match(expired.headers.get("www-authenticate") ?? "", /^Bearer error="invalid_token"/);
  const absent = await new Client(url).get("/api/users/me");
  assert.deepEqual([absent.status, absent.headers.get("www-authenticate")], [401, "Bearer"]);
});

test("a bad token never goes through, however good the cookie", async () => {
  const ann = await register(url);
  const [header, payload] = (ann.token ?? "").split(".");
  const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url")}.${payload}.`;
  for (const bad of ["garbage", `${header}.${payload}.${"A".repeat(86)}`, unsigned]) {
    const answer = await holding(bad, ann.cookie).get("/api/users/me");
    assert.equal(answer.status, 401, bad);
    assert.ok(isUntouched(answer), "neither reissues nor clears anything");
  }
});

test("a bad cookie brings nothing, and is not taken away", async () => {
  const ann = await registerAndExpire();
  const last = ann.cookie?.at(-1) === "A" ? "B" : "A";
  for (const bad of [
    "session_key=garbage",
    "session_key=",
    `${ann.cookie?.slice(0, -5)}${last}AAAA`,
  ]) {
    const answer = await holding(ann.token, bad).get("/api/users/me");
    assert.equal(answer.status, 401, bad);
    assert.ok(isUntouched(answer));
  }
  assert.equal((await ann.get("/api/users/me")).status, 200, "guessing has not hurt the session");
});

test("an expired token with the cookie of somebody else is 401", async () => {
  const [ann, bob] = await Promise.all([registerAndExpire("Ann"), registerAndExpire("Bob")]);
  assert.equal((await holding(ann.token, bob.cookie).get("/api/users/me")).status, 401);
});

test("thirty requests at once with one old cookie all go through, with one new cookie among them", async () => {
  const ann = await registerAndExpire();
  const { token, cookie } = ann;
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => holding(token, cookie).get("/api/users/me")),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  const cookies = answers.flatMap(({ headers }) => headers.getSetCookie());
  assert.equal(new Set(cookies.map((each) => each.split(";")[0])).size, 1);
});

test("what another site sends with the cookie alone is refused, and renews nothing", async () => {
  const ann = await registerAndExpire();
  const from = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
  const order = { items, currencyCode: "EUR" };
  const answer = await holding(undefined, ann.cookie).post("/api/orders/add", order, from);
  assert.deepEqual([answer.status, answer.body.reason], [403, "cross_site"]);
  assert.ok(isUntouched(answer));
  const own = await holding(undefined, ann.cookie).post("/api/orders/add", order, {
    "sec-fetch-site": "same-origin",
  });
  assert.equal(own.status, 201);
});

test("two Authorization headers or two session cookies are 400", async () => {
  const ann = await register(url);
  const bearer = `Bearer ${ann.token}`;
  assert.equal(await statusOf({ authorization: [bearer, bearer] }), 400);
  assert.equal(await statusOf({ cookie: `${ann.cookie}; ${ann.cookie}` }), 400);
  assert.equal(await statusOf({ authorization: [bearer], cookie: [ann.cookie ?? ""] }), 200);
});

function statusOf(headers: Record<string, string | string[]>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const raw = Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().flatMap((each) => [name, each]),
    );
    request(`${url}/api/users/me`, { headers: ["host", new URL(url).host, ...raw] }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}
