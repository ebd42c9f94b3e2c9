import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  type Interceptor,
} from "@connectrpc/connect";
import { errorOf, startHop, testAllPairs } from "./hop.ts";

/** Notes its name on the way in and on the way out. */
const noting =
  (name: string, notes: string[]): Interceptor =>
  (next) =>
  async (request) => {
    notes.push(`${name} in`);
    const response = await next(request);
    notes.push(`${name} out`);
    return response;
  };

/** Passes on copies of everything, as many interceptors do. */
const copying: Interceptor = (next) => async (request) => {
  const response = await next({ ...request } as typeof request);
  return { ...response } as typeof response;
};

testAllPairs("interceptors run around the call, the first one outermost", async (pair) => {
  const notes: string[] = [];
  const interceptors = (side: string) => [noting(`${side} 1`, notes), noting(`${side} 2`, notes)];
  const setup = {
    client: { interceptors: interceptors("client") },
    server: { interceptors: interceptors("server") },
  };
  await using hop = await startHop(
    pair,
    {
      echo() {
        notes.push("handler");
        return {};
      },
    },
    setup,
  );
  await hop.client.echo({});
  const inwards = ["client 1 in", "client 2 in", "server 1 in", "server 2 in"];
  const outwards = ["server 2 out", "server 1 out", "client 2 out", "client 1 out"];
  assert.deepEqual(notes, [...inwards, "handler", ...outwards]);
});

testAllPairs("a copied request and a copied response lose nothing", async (pair) => {
  const key = createContextKey("none");
  const setup = {
    client: { interceptors: [copying] },
    server: { interceptors: [copying, copying] },
  };
  await using hop = await startHop(
    pair,
    {
      echo(request, context) {
        context.responseHeader.set("x-head", context.requestHeader.get("x-in") ?? "");
        context.responseTrailer.set("x-trail", String(context.signal.aborted));
        assert.ok((context.timeoutMs() ?? 0) > 0);
        assert.equal(context.values.get(key), "none");
        assert.match(context.url, /\/parity\.v1\.ParityService\/Echo$/);
        assert.equal(context.service.typeName, "parity.v1.ParityService");
        assert.equal(context.protocolName, "grpc");
        assert.equal(context.requestMethod, "POST");
        return { text: request.text };
      },
    },
    setup,
  );
  const seen: (string | null)[] = [];
  const response = await hop.client.echo(
    { text: "hello" },
    {
      headers: { "x-in": "1" },
      timeoutMs: 10_000,
      onHeader: (header) => seen.push(header.get("x-head")),
      onTrailer: (trailer) => seen.push(trailer.get("x-trail")),
    },
  );
  assert.deepEqual([response.text, ...seen], ["hello", "1", "false"]);
});

testAllPairs("an interceptor sees and changes metadata on both sides", async (pair) => {
  const onClient: Interceptor = (next) => async (request) => {
    request.header.set("x-client", request.header.get("x-caller") ?? "");
    const response = await next(request);
    assert.equal(response.header.get("x-handler"), "h");
    assert.equal(response.trailer.get("x-server"), "s");
    return response;
  };
  const onServer: Interceptor = (next) => async (request) => {
    assert.equal(request.header.get("x-client"), "c");
    request.header.set("x-added", "a");
    const response = await next(request);
    response.trailer.set("x-server", "s");
    return response;
  };
  const setup = { client: { interceptors: [onClient] }, server: { interceptors: [onServer] } };
  await using hop = await startHop(
    pair,
    {
      echo(_, context) {
        assert.equal(context.requestHeader.get("x-added"), "a");
        context.responseHeader.set("x-handler", "h");
        return {};
      },
    },
    setup,
  );
  await hop.client.echo({}, { headers: { "x-caller": "c" } });
});

testAllPairs("an interceptor may replace the request, and the response", async (pair) => {
  const onServer: Interceptor = (next) => async (request) => {
    const header = new Headers(request.header);
    header.set("x-replaced", "yes");
    const response = await next({ ...request, header } as typeof request);
    const trailer = new Headers(response.trailer);
    trailer.set("x-mine", `${trailer.get("x-handler")} and mine`);
    return { ...response, trailer } as typeof response;
  };
  const onClient: Interceptor = (next) => async (request) => {
    const header = new Headers(request.header);
    header.delete("x-caller");
    const response = await next({ ...request, header } as typeof request);
    assert.equal(response.trailer.get("x-mine"), "handler's and mine");
    return response;
  };
  const setup = { client: { interceptors: [onClient] }, server: { interceptors: [onServer] } };
  await using hop = await startHop(
    pair,
    {
      echo(_, { requestHeader, responseTrailer }) {
        responseTrailer.set("x-handler", "handler's");
        return { text: `${requestHeader.get("x-replaced")} ${requestHeader.get("x-caller")}` };
      },
    },
    setup,
  );
  const response = await hop.client.echo({}, { headers: { "x-caller": "c" } });
  assert.equal(response.text, "yes null");
});

testAllPairs("context values pass from the caller and from interceptors", async (pair) => {
  const key = createContextKey("default");
  const seen: string[] = [];
  const onClient: Interceptor = (next) => (request) => {
    seen.push(request.contextValues.get(key));
    return next(request);
  };
  const onServer: Interceptor = (next) => (request) => {
    request.contextValues.set(key, "from the interceptor");
    return next(request);
  };
  const setup = { client: { interceptors: [onClient] }, server: { interceptors: [onServer] } };
  const echo = (_: unknown, { values }: { values: ReturnType<typeof createContextValues> }) => ({
    text: values.get(key),
  });
  await using hop = await startHop(pair, { echo }, setup);
  const contextValues = createContextValues().set(key, "from the caller");
  assert.equal((await hop.client.echo({}, { contextValues })).text, "from the interceptor");
  await hop.client.echo({});
  assert.deepEqual(seen, ["from the caller", "default"]);
});

testAllPairs("an interceptor may answer or refuse without the rest", async (pair) => {
  let calls = 0;
  const refuse: Interceptor = (next) => async (request) => {
    if (request.header.get("x-key") === null)
      throw new ConnectError("no key", Code.Unauthenticated);
    return next(request);
  };
  const setup = { server: { interceptors: [refuse] } };
  await using hop = await startHop(
    pair,
    {
      echo() {
        calls += 1;
        return {};
      },
    },
    setup,
  );
  const error = await errorOf(hop.client.echo({}));
  assert.deepEqual([error.code, error.rawMessage], [Code.Unauthenticated, "no key"]);
  await hop.client.echo({}, { headers: { "x-key": "k" } });
  assert.equal(calls, 1);
});

testAllPairs("an interceptor may try again", async (pair) => {
  let calls = 0;
  const again: Interceptor = (next) => async (request) => {
    try {
      return await next(request);
    } catch {
      return await next(request);
    }
  };
  await using hop = await startHop(
    pair,
    {
      echo() {
        calls += 1;
        if (calls === 1) throw new ConnectError("not yet", Code.Aborted);
        return { text: "now" };
      },
    },
    { client: { interceptors: [again] } },
  );
  assert.equal((await hop.client.echo({}, { timeoutMs: 10_000 })).text, "now");
});

test("our own stack composes interceptors once, not for every call", async () => {
  let composed = 0;
  const counting: Interceptor = (next) => {
    composed += 1;
    return next;
  };
  const interceptors = [counting];
  const pair = { client: "own", server: "own" } as const;
  const setup = { client: { interceptors }, server: { interceptors } };
  await using hop = await startHop(pair, { echo: () => ({}) }, setup);
  const before = composed;
  for (let call = 0; call < 3; call++) await hop.client.echo({});
  assert.equal(composed, before);
});
