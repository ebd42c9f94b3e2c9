import assert from "node:assert/strict";
import { after, test } from "node:test";
import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { pino } from "pino";
import { maxConfirmations } from "./limits.ts";
import { createSessionConfirmation } from "./session-confirmation.ts";

const ending = new AbortController();
after(() => ending.abort());

/** A confirmation before a user-service that does this, and how often it was asked. */
function confirmationWith(confirm: (attempt: number) => unknown) {
  const state = { asked: 0 };
  const transport = createRouterTransport(({ service }) => {
    service(SessionService, {
      confirmSession: async () => {
        await confirm(++state.asked);
        return {};
      },
    });
  });
  const logger = pino({ level: "silent" });
  const confirmation = createSessionConfirmation({ transport, logger, signal: ending.signal });
  const seen = (sessionId: string, generation = 0) =>
    confirmation.seen(
      { userId: "ann", sessionId, generation, epoch: 0, isAdmin: false, expiresAtMs: 0 },
      () => ({}),
    );
  return { state, seen };
}
const until = async (isDone: () => boolean) => {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));
};

test("each generation of each session is confirmed once", async () => {
  const { state, seen } = confirmationWith(() => {});
  for (let i = 0; i < 3; i++) {
    seen("one");
    seen("one", 1);
    seen("two");
  }
  await until(() => state.asked === 3);
  seen("one");
  await new Promise(setImmediate);
  assert.equal(state.asked, 3);
});

test("a confirmation that fails is tried again", async () => {
  const { state, seen } = confirmationWith((attempt) => {
    if (attempt < 2) throw new ConnectError("away", Code.Unavailable);
  });
  seen("one");
  await until(() => state.asked === 2);
});

test("confirmations under way have a bound, and those left out come with the next token", async () => {
  const gate = Promise.withResolvers<void>();
  const { state, seen } = confirmationWith(() => gate.promise);
  for (let i = 0; i < maxConfirmations + 10; i++) seen(`s${i}`);
  await until(() => state.asked === maxConfirmations);
  gate.resolve();
  await until(() => {
    seen(`s${maxConfirmations + 1}`);
    return state.asked === maxConfirmations + 1;
  });
});
