import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { waitFor } from "../../dev/wait-for.ts";
import { type SecondGateway, shared, startSecondGateway } from "../second-gateway.ts";
import { ask, percentile, type Sample, startLoad } from "./load.ts";

let platform: Platform;
before(async () => {
  platform = await startPlatform(shared);
});
after(() => platform.stop());

/** What came back on a connection, and when it was closed by the other end. */
interface Outcome {
  readonly answer: string;
  readonly closedAfterMs: number;
}

type Attack = (write: (text: string | Buffer) => void, end: () => void) => (() => void) | undefined;

function attack({ url }: SecondGateway, act: Attack): Promise<Outcome> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let answer = "";
    let stop: (() => void) | undefined;
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => {
      stop = act(
        (text) => void (socket.writable && socket.write(text)),
        () => socket.end(),
      );
    });
    socket.setEncoding("latin1").on("data", (text) => (answer += text));
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      stop?.();
      resolve({ answer, closedAfterMs: performance.now() - startedAt });
    });
  });
}

const head = "POST /api/users/log HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
const every = (ms: number, act: () => void) => {
  const timer = setInterval(act, ms);
  return () => clearInterval(timer);
};
const slowHeaders: Attack = (write) => {
  write("GET / HTTP/1.1\r\nhost: x\r\nx: ");
  return every(1_000, () => write("y"));
};
const slowBody: Attack = (write) => {
  write(`${head}content-length: 1000\r\n\r\n{`);
  return every(1_000, () => write(" "));
};
const hugeHeaders: Attack = (write) => {
  write(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(64 * 1024)}\r\n\r\n`);
  return undefined;
};
const hugeBody: Attack = (write) => {
  write(`${head}transfer-encoding: chunked\r\n\r\n`);
  const chunk = Buffer.alloc(64 * 1024, " ");
  let left = 160;
  return every(5, () => {
    if (left-- <= 0) return;
    write("10000\r\n");
    write(chunk);
    write("\r\n");
  });
};
const halfClosed: Attack = (write, end) => {
  write(`${head}content-length: 1000\r\n\r\n{`);
  end();
  return undefined;
};
const garbage: Attack = (write) => {
  write(`GET / HTTP/1.1\r\nhost: x\r\n\r\n${"\u0001garbage \r\n".repeat(50)}`);
  return undefined;
};

const attacks = {
  "slow headers": { act: slowHeaders, count: 120, answers: /^HTTP\/1.1 408 /, withinMs: 8_000 },
  "slow body": { act: slowBody, count: 120, answers: /^HTTP\/1.1 408 /, withinMs: 18_000 },
  "64 KiB of headers": { act: hugeHeaders, count: 80, answers: /^HTTP\/1.1 431 /, withinMs: 8_000 },
  "10 MiB in chunks": { act: hugeBody, count: 20, answers: /^HTTP\/1.1 413 /, withinMs: 18_000 },
  "half closed": { act: halfClosed, count: 80, answers: /^(?:HTTP\/1.1 4|$)/, withinMs: 8_000 },
  "garbage behind a request": {
    act: garbage,
    count: 80,
    answers: /^HTTP\/1.1 200 [\s\S]*(?:HTTP\/1.1 400 |$)/,
    withinMs: 8_000,
  },
};

const rssMiB = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

test("500 hostile connections are turned away in time, and nobody else notices", async (t) => {
  await using gateway = await startSecondGateway(platform);
  // A process that has never worked has less memory than one that has: honest requests come first.
  const warm = startLoad({ url: gateway.url, perSecond: 300, connections: 100 });
  const large = {
    url: `${gateway.url}/api/users/log`,
    method: "POST",
    body: "x".repeat(1_000_000),
  };
  await Promise.all(Array.from({ length: attacks["10 MiB in chunks"].count }, () => ask(large)));
  await sleep(4_000);
  await warm.stop();
  await waitFor("the connections to be closed", () => openFiles(gateway.pid) < 80);
  const before = { rss: rssMiB(gateway.pid), files: openFiles(gateway.pid) };
  let most = before.rss;
  const alive: Sample[] = [];
  let isOver = false;
  const watch = (async () => {
    while (!isOver) {
      alive.push(await ask({ url: `${gateway.adminUrl}/livez` }));
      most = Math.max(most, rssMiB(gateway.pid));
      await sleep(20);
    }
  })();
  await Promise.all(
    Object.entries(attacks).map(async ([name, { act, count, answers, withinMs }]) => {
      const outcomes = await Promise.all(Array.from({ length: count }, () => attack(gateway, act)));
      const longest = Math.max(...outcomes.map(({ closedAfterMs }) => closedAfterMs));
      const wrong = outcomes.filter(({ answer }) => !answers.test(answer));
      t.diagnostic(`${count} × ${name}: closed after ${longest.toFixed(0)} ms at most`);
      assert.equal(wrong.length, 0, `${name}: ${JSON.stringify(wrong[0])}`);
      assert.ok(longest <= withinMs, `${name}: ${longest} ms`);
    }),
  );
  isOver = true;
  await watch;
  const slowest = Math.max(...alive.map(({ tookMs }) => tookMs));
  const p99 = percentile(alive, 0.99);
  t.diagnostic(`/livez: p99 ${p99.toFixed(1)} ms, ${slowest.toFixed(1)} ms at most`);
  await waitFor("the sockets to be given back", () => openFiles(gateway.pid) <= before.files + 2);
  const left = rssMiB(gateway.pid);
  t.diagnostic(`RSS ${before.rss.toFixed(0)} → ${most.toFixed(0)} → ${left.toFixed(0)} MiB`);
  assert.ok(alive.every(({ status }) => status === 200));
  assert.ok(p99 <= 50, `/livez ${p99} ms`);
  assert.ok(left <= before.rss + 20, `RSS ${before.rss} → ${left} MiB`);
});
