import assert from "node:assert/strict";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { errorOf, startHop, testAllPairs } from "./hop.ts";

testAllPairs(
  "a client interceptor's signal tells of the caller's cancel and of the end",
  async (pair) => {
    const reasons: unknown[] = [];
    const watching: Interceptor = (next) => (request) => {
      request.signal.addEventListener("abort", () => reasons.push(request.signal.reason));
      return next(request);
    };
    const never = new Promise<never>(() => {});
    await using hop = await startHop(
      pair,
      { echo: ({ text }) => (text === "wait" ? never : {}) },
      { client: { interceptors: [watching] } },
    );
    await hop.client.echo({});
    assert.equal(reasons.length, 1);
    const controller = new AbortController();
    const call = errorOf(hop.client.echo({ text: "wait" }, { signal: controller.signal }));
    controller.abort(new ConnectError("left", Code.Canceled));
    assert.equal((await call).rawMessage, "left");
    assert.equal(ConnectError.from(reasons[1]).rawMessage, "left");
  },
);

testAllPairs("an interceptor may put its own signal in place", async (pair) => {
  const controller = new AbortController();
  const own: Interceptor = (next) => (request) =>
    next({ ...request, signal: controller.signal } as typeof request);
  const started = Promise.withResolvers<void>();
  const never = new Promise<never>(() => {});
  await using hop = await startHop(
    pair,
    {
      echo() {
        started.resolve();
        return never;
      },
    },
    { client: { interceptors: [own] } },
  );
  const call = errorOf(hop.client.echo({}));
  await started.promise;
  controller.abort(new ConnectError("stop", Code.Canceled));
  assert.equal((await call).code, Code.Canceled);
});
