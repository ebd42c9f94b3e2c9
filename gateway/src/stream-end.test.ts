import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { guardStream } from "./stream-end.ts";

const revocations = { isRevoked: () => false };

/** A response whose client reads it, or does not. */
async function openResponse(reads: boolean) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const asked = once(server, "request");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => {});
  if (reads) client.resume();
  else client.pause();
  client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  const [, response] = (await asked) as [unknown, ServerResponse];
  const close = () => {
    client.destroy();
    server.close();
  };
  return { response, close };
}

test("a client that takes nothing for a while is cut, and one that reads is not", async () => {
  const [silent, reader] = [await openResponse(false), await openResponse(true)];
  let cuts = 0;
  const onCut = () => cuts++;
  const guards = [silent, reader].map(({ response }) =>
    guardStream({ caller: undefined, revocations, response, slowMs: 300, checkMs: 10, onCut }),
  );
  const chunk = Buffer.alloc(64 * 1024);
  const feed = setInterval(() => {
    if (!silent.response.writableNeedDrain)
      for (let i = 0; i < 64; i++) silent.response.write(chunk);
    if (!reader.response.writableNeedDrain) reader.response.write(chunk);
  }, 5);
  await once(silent.response, "close");
  clearInterval(feed);
  assert.equal(reader.response.destroyed, false);
  assert.equal(cuts, 1);
  for (const guard of guards) guard[Symbol.dispose]();
  reader.close();
  silent.close();
});

test("when a stream is over, who takes nothing is not waited for", {
  timeout: 60_000,
}, async () => {
  const { response, close } = await openResponse(false);
  const over = new AbortController();
  const patience = { slowMs: 60_000, lastWordMs: 20, checkMs: 10, over: over.signal };
  using _guard = guardStream({ caller: undefined, revocations, response, ...patience });
  // More than the kernel takes.
  response.write(Buffer.alloc(64 * 1024 * 1024));
  over.abort();
  await once(response, "close");
  close();
});
