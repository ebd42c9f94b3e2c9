import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientHttp2Stream } from "node:http2";
import { test } from "node:test";
import { connect, startServer, until } from "./fixture.ts";

test("a closed stream, which Node.js keeps for a while, holds nothing of its call", async () => {
  await using server = await startServer();
  await using caller = connect([server.url]);
  const streams: ClientHttp2Stream[] = [];
  const note = (message: unknown) => {
    streams.push((message as { stream: ClientHttp2Stream }).stream);
  };
  subscribe("http2.client.stream.created", note);
  await caller.call().finally(() => unsubscribe("http2.client.stream.created", note));
  await until(() => streams.every(({ destroyed }) => destroyed));
  assert.deepEqual(
    streams.map((stream) => stream.eventNames()),
    [["error"]],
  );
});
