import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorInfoSchema, Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type HandlerContext,
} from "@connectrpc/connect";
import { keepAccessToken } from "./access-token.ts";

/** A gateway that sees tokens, and answers as a test has it. */
function rig(answer: (context: HandlerContext) => void | Promise<void>) {
  const seen: (string | null)[] = [];
  const reissues: [string, number][] = [];
  const token = keepAccessToken((...reissue) => reissues.push(reissue));
  const transport = createRouterTransport(
    ({ service }) =>
      service(UserService, {
        async getUser(_, context) {
          seen.push(context.requestHeader.get("authorization"));
          await answer(context);
          return {};
        },
      }),
    { transport: { interceptors: [token.interceptor] } },
  );
  const { getUser } = createClient(UserService, transport);
  return { token, seen, reissues, ask: () => getUser({}) };
}

const reissue = ({ responseHeader }: HandlerContext, token: string) => {
  responseHeader.set("x-access-token", token);
  responseHeader.set("x-access-token-expires-in", "300");
};

test("a token that an answer brings takes the old one's place", async () => {
  let next: string | undefined = "second";
  const { token, seen, reissues, ask } = rig((context) => void (next && reissue(context, next)));
  await ask();
  next = undefined;
  await ask();
  next = "third";
  await ask();
  assert.equal(token.value, "third");
  assert.deepEqual(seen, [null, "Bearer second", "Bearer second"]);
  assert.deepEqual(reissues, [
    ["second", 300],
    ["third", 300],
  ]);
});

test("an error brings one as well, and stays the error that it was", async () => {
  const { token, ask } = rig(() => {
    throw new ConnectError("no such thing", Code.NotFound, { "x-access-token": "fresh" });
  });
  token.value = "stale";
  await assert.rejects(ask(), (error) => ConnectError.from(error).code === Code.NotFound);
  assert.equal(token.value, "fresh");
});

test("a token that is refused is forgotten, any other error costs none", async () => {
  let reason: Reason = Reason.DRAINING;
  const { token, ask } = rig(() => {
    const details = [{ desc: ErrorInfoSchema, value: { reason } }];
    throw new ConnectError("no", Code.Unauthenticated, undefined, details);
  });
  token.value = "good";
  await assert.rejects(ask());
  assert.equal(token.value, "good");
  reason = Reason.INVALID_TOKEN;
  await assert.rejects(ask());
  assert.equal(token.value, undefined);
});

test("an answer to somebody who has logged out meanwhile logs nobody in again", async () => {
  const held = Promise.withResolvers<void>();
  const { token, reissues, ask } = rig(async (context) => {
    await held.promise;
    reissue(context, "Ann's next");
  });
  token.value = "Ann's";
  const late = ask();
  token.value = "Bob's";
  held.resolve();
  await late;
  assert.equal(token.value, "Bob's");
  assert.deepEqual(reissues, []);
});
