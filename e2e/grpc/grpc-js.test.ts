import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { createGrpcTransport } from "@3l1/kit/grpc/transport.ts";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, encodeBinaryHeader } from "@connectrpc/connect";
import { Metadata, status } from "@grpc/grpc-js";
import { EchoRequestSchema, EchoResponseSchema, ParityService } from "./gen/parity/v1/parity_pb.ts";
import { grpcJsClient, grpcJsServer } from "./grpc-js-peer.ts";
import { errorOf, type Handlers, stacks, startServer, upToAMinute } from "./hop.ts";

function testGrpcJsClient(
  name: string,
  handlers: Handlers,
  body: (client: ReturnType<typeof grpcJsClient>) => Promise<void>,
) {
  for (const stack of stacks) {
    test(`${name} (grpc-js client → ${stack} server)`, async () => {
      const server = startServer(stack, handlers);
      const { port } = await server.listen(0, "127.0.0.1");
      {
        using client = grpcJsClient(port);
        await body(client);
      }
      await server.drain(0);
    });
  }
}

testGrpcJsClient(
  "messages and metadata of both kinds go both ways",
  {
    echo({ text, payload }, { requestHeader, responseHeader, responseTrailer }) {
      responseHeader.set("x-head", requestHeader.get("x-in") ?? "");
      responseTrailer.set("x-trail-bin", encodeBinaryHeader(new Uint8Array([0, 255])));
      return { text, payload };
    },
  },
  async (client) => {
    const metadata = new Metadata();
    metadata.set("x-in", "in");
    for (const payload of [new Uint8Array(), new Uint8Array(4_000_000).fill(7)]) {
      const answer = await client.echo({ text: "hé", payload }, metadata);
      assert.equal(answer.error, null);
      assert.equal(answer.response?.text, "hé");
      assert.equal(answer.response?.payload.length, payload.length);
      assert.deepEqual(answer.metadata.get("x-head"), ["in"]);
      assert.deepEqual(answer.status.metadata.get("x-trail-bin"), [Buffer.from([0, 255])]);
    }
  },
);

test("punctuation in a message arrives as it was written (grpc-js client → own server)", async () => {
  const message = "items: 1, 2; a/b? 100 % @ x=y&z+#$";
  const echo = () => {
    throw new ConnectError(message, Code.InvalidArgument);
  };
  const server = startServer("own", { echo });
  const { port } = await server.listen(0, "127.0.0.1");
  {
    using client = grpcJsClient(port);
    assert.equal((await client.echo({ text: "" })).error?.details, message);
  }
  await server.drain(0);
});

testGrpcJsClient(
  "every code, its message and its metadata arrive",
  {
    echo({ text }) {
      throw new ConnectError("nö 名前", Number(text), { "x-meta": "m" });
    },
  },
  async (client) => {
    for (let code = 1; code <= 16; code++) {
      const { error } = await client.echo({ text: String(code) });
      assert.deepEqual([error?.code, error?.details], [code, "nö 名前"]);
      assert.deepEqual(error?.metadata.get("x-meta"), ["m"]);
    }
  },
);

testGrpcJsClient(
  "an oversize request, an unknown method and no handler are told apart",
  {},
  async (client) => {
    const { error } = await client.echo({});
    assert.equal(error?.code, status.UNIMPLEMENTED);
    const tooLarge = await client.echo({ payload: new Uint8Array(5_000_000) });
    assert.equal(tooLarge.error?.code, status.RESOURCE_EXHAUSTED);
  },
);

const running = new EventEmitter();
testGrpcJsClient(
  "deadline and cancel end the call and reach the handler",
  {
    async echo({ text }, { signal }) {
      if (text === "connect") return {};
      running.emit("started", text);
      await once(signal, "abort");
      running.emit("aborted", text);
      return {};
    },
  },
  async (client) => {
    await client.echo({ text: "connect" });
    const lateAborted = once(running, "aborted");
    let isAsked = false;
    running.once("started", () => (isAsked = true));
    for (const timeoutMs of upToAMinute) {
      const deadline = Date.now() + timeoutMs;
      const late = await client.echo({ text: "late" }, undefined, { deadline });
      assert.equal(late.error?.code, status.DEADLINE_EXCEEDED);
      if (isAsked) break;
    }
    assert.deepEqual(await lateAborted, ["late"]);
    const leftAborted = once(running, "aborted");
    const left = await client.echo({ text: "left" }, undefined, {}, (call) => {
      running.once("started", () => call.cancel());
    });
    assert.equal(left.error?.code, status.CANCELLED);
    assert.deepEqual(await leftAborted, ["left"]);
  },
);

testGrpcJsClient(
  "a thousand calls at once all get their own answer",
  { echo: async ({ text }) => ({ text }) },
  async (client) => {
    const texts = Array.from({ length: 1_000 }, (_, index) => String(index));
    const answers = await Promise.all(texts.map((text) => client.echo({ text })));
    assert.deepEqual(
      answers.map(({ response }) => response?.text),
      texts,
    );
  },
);

for (const stack of stacks) {
  test(`messages and metadata go both ways (${stack} client → grpc-js server)`, async () => {
    using server = await grpcJsServer((call, callback) => {
      const headers = new Metadata();
      headers.set("x-head", call.metadata.get("x-in")[0] ?? "");
      call.sendMetadata(headers);
      const trailers = new Metadata();
      trailers.set("x-trail", "t");
      const { text, payload } = call.request;
      callback(null, create(EchoResponseSchema, { text, payload }), trailers);
    });
    await using transport = createGrpcTransport({ baseUrls: [server.url] }, stack);
    const seen: (string | null)[] = [];
    const options = {
      headers: { "x-in": "in" },
      onHeader: (header: Headers) => seen.push(header.get("x-head")),
      onTrailer: (trailer: Headers) => seen.push(trailer.get("x-trail")),
    };
    const client = createClient(ParityService, transport);
    const payload = new Uint8Array(4_000_000).fill(7);
    const response = await client.echo({ text: "hé", payload }, options);
    assert.deepEqual(
      [response.text, response.payload.length, ...seen],
      ["hé", 4_000_000, "in", "t"],
    );
    assert.equal((await client.echo({})).text, "");
  });

  test(`every code and its message arrive (${stack} client → grpc-js server)`, async () => {
    using server = await grpcJsServer(({ request }, callback) => {
      callback({ code: Number(request.text), details: "nö 名前" });
    });
    await using transport = createGrpcTransport({ baseUrls: [server.url] }, stack);
    const client = createClient(ParityService, transport);
    for (let code = 2; code <= 16; code++) {
      const error = await errorOf(client.echo({ text: String(code) }));
      assert.deepEqual([error.code, error.rawMessage], [code, "nö 名前"]);
    }
  });

  test(`deadline and cancel end the call (${stack} client → grpc-js server)`, async () => {
    const events = new EventEmitter();
    using server = await grpcJsServer((call, callback) => {
      if (call.request.text === "connect") return callback(null, create(EchoResponseSchema));
      events.emit("started");
      call.on("cancelled", () => events.emit("cancelled", call.request.text));
    });
    await using transport = createGrpcTransport({ baseUrls: [server.url] }, stack);
    const client = createClient(ParityService, transport);
    await client.echo({ text: "connect" });
    const lateCancelled = once(events, "cancelled");
    let isAsked = false;
    events.once("started", () => (isAsked = true));
    for (const timeoutMs of upToAMinute) {
      const late = await errorOf(client.echo({ text: "late" }, { timeoutMs }));
      assert.equal(late.code, Code.DeadlineExceeded);
      if (isAsked) break;
    }
    assert.deepEqual(await lateCancelled, ["late"]);
    const leftCancelled = once(events, "cancelled");
    const controller = new AbortController();
    events.once("started", () => controller.abort());
    const left = await errorOf(client.echo({ text: "left" }, { signal: controller.signal }));
    assert.equal(left.code, Code.Canceled);
    assert.deepEqual(await leftCancelled, ["left"]);
  });

  test(`a server that shuts down lets open calls end (${stack} client → grpc-js server)`, async () => {
    const started = Promise.withResolvers<() => void>();
    using server = await grpcJsServer((_, callback) => {
      started.resolve(() => callback(null, create(EchoResponseSchema, { text: "done" })));
    });
    await using transport = createGrpcTransport({ baseUrls: [server.url] }, stack);
    const call = createClient(ParityService, transport).echo(create(EchoRequestSchema));
    const answer = await started.promise;
    const down = new Promise<void>((resolve) => server.server.tryShutdown(() => resolve()));
    answer();
    assert.equal((await call).text, "done");
    await down;
  });
}
