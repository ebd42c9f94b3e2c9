import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { GrpcStack } from "@3l1/kit/grpc/stack.ts";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { ParityService } from "./gen/parity/v1/parity_pb.ts";
import { type Hop, stacks, startHop } from "./hop.ts";
import { echoPath, frame, grpcHeaders, rawRequest, requestBody, statusOf } from "./raw-peer.ts";

/** What a server does with what no good client sends; the same in both implementations. */
function testBothServers(name: string, body: (hop: Hop, ran: () => number) => Promise<void>) {
  for (const server of stacks) {
    test(`${name} (${server} server)`, async () => {
      let calls = 0;
      const echo = ({ text }: { text: string }) => {
        calls += 1;
        return { text };
      };
      await using hop = await startHop({ client: "own", server }, { echo });
      await body(hop, () => calls);
      assert.equal((await hop.client.echo({ text: "still here" })).text, "still here");
    });
  }
}

const INVALID_ARGUMENT = "3";
const UNIMPLEMENTED = "12";
const INTERNAL = "13";

testBothServers("half a frame is invalid_argument, and never runs", async (hop, ran) => {
  const whole = frame(requestBody("hello"));
  for (const length of [1, 4, 6, whole.length - 1]) {
    const answer = await rawRequest(hop.port, {}, [whole.subarray(0, length)]);
    assert.equal(statusOf(answer), INVALID_ARGUMENT, `${length} bytes`);
  }
  assert.equal(ran(), 0);
});

testBothServers("a frame in single bytes is as good as one in a piece", async (hop) => {
  const bytes = [...frame(requestBody("slow"))].map((byte) => Buffer.from([byte]));
  const answer = await rawRequest(hop.port, {}, bytes);
  assert.equal(statusOf(answer), "0");
  assert.match(answer.body.toString(), /slow/);
});

testBothServers("no message at all is unimplemented", async (hop, ran) => {
  assert.equal(statusOf(await rawRequest(hop.port, {}, [])), UNIMPLEMENTED);
  assert.equal(ran(), 0);
});

testBothServers("two messages for a unary method are unimplemented", async (hop, ran) => {
  const one = frame(requestBody("one"));
  const answer = await rawRequest(hop.port, {}, [Buffer.concat([one, one])]);
  assert.equal(statusOf(answer), UNIMPLEMENTED);
  assert.equal(ran(), 0);
});

testBothServers("a body that is no such message is internal", async (hop, ran) => {
  const garbage = frame(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x01]));
  assert.equal(statusOf(await rawRequest(hop.port, {}, [garbage])), INTERNAL);
  assert.equal(ran(), 0);
});

testBothServers("a compressed frame without an encoding is internal", async (hop, ran) => {
  const compressed = frame(gzipSync(requestBody("hello")), 1);
  assert.equal(statusOf(await rawRequest(hop.port, {}, [compressed])), INTERNAL);
  assert.equal(ran(), 0);
});

testBothServers("a compressed request is served", async (hop) => {
  const compressed = frame(gzipSync(requestBody("small again")), 1);
  const answer = await rawRequest(hop.port, { "grpc-encoding": "gzip" }, [compressed]);
  assert.equal(statusOf(answer), "0");
});

testBothServers("an unknown encoding is unimplemented", async (hop, ran) => {
  const headers = { "grpc-encoding": "snappy" };
  assert.equal(statusOf(await rawRequest(hop.port, headers, [frame(Buffer.of())])), UNIMPLEMENTED);
  assert.equal(ran(), 0);
});

testBothServers("a malformed timeout is invalid_argument", async (hop, ran) => {
  for (const timeout of ["1", "m", "1x", "123456789m", "-1m", "1.5S"]) {
    const headers = { "grpc-timeout": timeout };
    const answer = await rawRequest(hop.port, headers, [frame(requestBody("late"))]);
    assert.equal(statusOf(answer), INVALID_ARGUMENT, timeout);
  }
  assert.equal(ran(), 0);
});

testBothServers(
  "a wrong content type is 415, a wrong method 405, a wrong path 404",
  async (hop, ran) => {
    const send = async (headers: http2.OutgoingHttpHeaders) =>
      (await rawRequest(hop.port, headers, [frame(requestBody("wrong"))])).headers[":status"];
    assert.equal(await send({ "content-type": "text/plain" }), 415);
    assert.equal(await send({ "content-type": "application/grpc+thrift" }), 415);
    assert.equal(await send({ ":method": "PUT" }), 405);
    assert.equal(await send({ ":path": "/parity.v1.ParityService/None" }), 404);
    assert.equal(await send({ ":path": "/" }), 404);
    assert.equal(ran(), 0);
  },
);

testBothServers("application/grpc alone means protobuf", async (hop) => {
  const headers = { "content-type": "application/grpc" };
  assert.equal(statusOf(await rawRequest(hop.port, headers, [frame(requestBody("x"))])), "0");
});

testBothServers(
  "a client that resets in the middle of its request leaves nothing behind",
  async (hop, ran) => {
    const session = http2.connect(`http://127.0.0.1:${hop.port}`);
    const stream = session.request(
      { ":method": "POST", ":path": echoPath, "content-type": "application/grpc+proto" },
      { endStream: false },
    );
    stream.on("error", () => {});
    stream.write(frame(requestBody("half")).subarray(0, 7));
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await once(stream, "close");
    session.close();
    assert.equal(ran(), 0);
  },
);

testBothServers("a header bomb is refused, and other connections live", async (hop, ran) => {
  const bomb: http2.OutgoingHttpHeaders = {};
  for (let index = 0; index < 60; index++) bomb[`x-bomb-${index}`] = "b".repeat(1_000);
  const answer = await rawRequest(hop.port, bomb, [frame(requestBody("boom"))]);
  assert.notEqual(statusOf(answer), "0");
  assert.equal(ran(), 0);
});

testBothServers("bytes that are not HTTP/2 close that connection alone", async (hop) => {
  const socket = net.connect(hop.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.end("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  socket.resume();
  await once(socket, "close");
});

testBothServers("Connect and gRPC-Web work on the same port", async (hop) => {
  const options = { baseUrl: `http://127.0.0.1:${hop.port}`, httpVersion: "2" } as const;
  for (const useBinaryFormat of [true, false]) {
    for (const create of [createConnectTransport, createGrpcWebTransport]) {
      const client = createClient(ParityService, create({ ...options, useBinaryFormat }));
      assert.equal((await client.echo({ text: "browser" })).text, "browser");
    }
  }
});

test("a request over the limit is answered before it is read to the end", async () => {
  const pair = { client: "own", server: "own" as GrpcStack } as const;
  const setup = { server: { readMaxBytes: 1_000 } };
  await using hop = await startHop(pair, { echo: () => ({}) }, setup);
  const announced = frame(Buffer.alloc(100), 0, 1_000_000);
  const answer = await rawRequest(hop.port, {}, [announced], false);
  assert.equal(statusOf(answer), "8");
});

test("who leaves a stream that it has not read leaves nothing on the console", async (t) => {
  const printed = t.mock.method(console, "error", () => {});
  const ended = Promise.withResolvers<void>();
  const handlers = {
    async *count() {
      try {
        for (;;) yield { text: "x".repeat(100_000) };
      } finally {
        ended.resolve();
      }
    },
  };
  await using hop = await startHop({ client: "own", server: "own" }, handlers);
  const session = http2.connect(`http://127.0.0.1:${hop.port}`);
  const headers = { ...grpcHeaders, ":path": "/parity.v1.ParityService/Count" };
  const stream = session.request({ ...headers, "content-type": "application/grpc+proto" });
  stream.on("error", () => {}).end(frame(Buffer.of()));
  await once(stream, "response");
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await ended.promise;
  await new Promise(setImmediate);
  session.close();
  assert.equal(printed.mock.callCount(), 0);
});

test("a flood of resets ends the connection that floods", async () => {
  const pair = { client: "own", server: "own" } as const;
  await using hop = await startHop(pair, { echo: () => ({}) });
  const session = http2.connect(`http://127.0.0.1:${hop.port}`);
  session.on("error", () => {});
  const gone = new Promise<void>((resolve) => session.once("close", resolve));
  const headers = { ":method": "POST", ":path": echoPath, "content-type": "application/grpc" };
  const flood = () => {
    for (let count = 0; count < 500 && !session.closed && !session.destroyed; count++) {
      const stream = session.request(headers, { endStream: false });
      stream.on("error", () => {});
      stream.close(http2.constants.NGHTTP2_CANCEL);
    }
    if (!session.closed && !session.destroyed) setImmediate(flood);
  };
  flood();
  await gone;
  await hop.client.echo({});
});
