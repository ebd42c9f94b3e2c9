import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { adminEmail, adminPassword, type Platform, startPlatform } from "../dev/own-platform.ts";
import { type Answer, Client, logIn, type Problem, placeOrder, register } from "./client.ts";
import { type AnswerCheck, createAnswerCheck } from "./openapi/answers.ts";
import { type Document, type Endpoint, endpointsOf } from "./openapi/document.ts";
import {
  type Actor,
  invalidRequests,
  validRequests,
  type WalkRequest,
} from "./openapi/requests.ts";

/*
 * A walk over the OpenAPI document: to every operation go random requests, some that the document
 * allows and some that break one of its rules, from nobody, a user and an administrator. `SEED=n`
 * repeats a walk.
 */

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const runs = 15;

let platform: Platform;
let document: Document;
let answers: AnswerCheck;
let clients: Record<Actor, Client>;
/** Of things that exist. */
let ids: string[];

before(async () => {
  platform = await startPlatform();
  const response = await fetch(`${platform.gatewayUrl}/api/openapi.json`);
  document = (await response.json()) as Document;
  answers = createAnswerCheck(document);
  const nobody = new Client(platform.gatewayUrl);
  clients = { nobody, user: nobody, admin: await admit() };
});
after(() => platform.stop());

/** A user with an order, so that some requests are about something. */
async function enter(): Promise<Client> {
  const user = await register(platform.gatewayUrl);
  ids = [user.id, (await placeOrder(user)).id];
  return user;
}

const admit = () => logIn(platform.gatewayUrl, adminEmail, adminPassword);

async function send(request: WalkRequest): Promise<Answer<Problem>> {
  const { actor, verb, path, body, headers } = request;
  const isNobody = actor === "nobody";
  if (isNobody) clients.nobody = new Client(platform.gatewayUrl);
  const answer = await clients[actor].send<Problem>(verb, path, body, headers);
  if (answer.status !== 401 || isNobody || path.startsWith("/api/users/log")) return answer;
  // A request before this one has ended the session: it was a valid one.
  clients[actor] = actor === "admin" ? await admit() : await enter();
  return clients[actor].send<Problem>(verb, path, body, headers);
}

/** Rules that a document can tell. What else is wrong only the services know. */
const toldRules = /^(?:type|json|query|body|string|int32|int64|enum|repeated)\./;

async function walk(endpoint: Endpoint): Promise<void> {
  const { operation } = endpoint;
  // The administrator stays logged in: after many wrong passwords the next login would have to wait.
  clients = { ...clients, user: await enter() };
  const isPublic = operation.security.length === 0;
  const options = { seed, numRuns: runs, interruptAfterTimeLimit: 60_000 };
  await fc.assert(
    fc.asyncProperty(validRequests(document, endpoint, ids), async (request) => {
      const answer = await send(request);
      answers.check(operation, answer);
      const { status, body } = answer;
      if (request.actor === "nobody" && !isPublic) assert.equal(status, 401);
      if (status < 400) return;
      const told = (body.violations ?? []).filter(({ rule }) => toldRules.test(rule));
      assert.deepEqual(told, [], "the document allows what was refused");
    }),
    options,
  );
  await fc.assert(
    fc.asyncProperty(invalidRequests(document, endpoint, ids), async (request) => {
      const answer = await send(request);
      answers.check(operation, answer);
      assert.ok(answer.status >= 400, "what the document forbids was taken");
      if (request.actor !== "admin" || isPublic) return;
      assert.equal(answer.status, 400);
    }),
    options,
  );
}

test("random requests bring no 5xx, and no answer that the document does not know", async (t) => {
  t.diagnostic(`SEED=${seed}`);
  const endpoints = endpointsOf(document);
  assert.ok(endpoints.length >= 17);
  for (const endpoint of endpoints)
    await t.test(`${endpoint.verb} ${endpoint.path}`, () => walk(endpoint));
});

test("the platform has logged no failure of its own", () => {
  const failures = platform.output().match(/^.*"level":"(?:error|fatal)".*$/gm) ?? [];
  assert.deepEqual(failures, []);
});
