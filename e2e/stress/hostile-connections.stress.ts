import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { constants, setPriority } from "node:os";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { type SecondGateway, shared, startSecondGateway } from "../second-gateway.ts";
import { percentile, startLoad } from "./load.ts";

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

type Act = (write: (text: string | Buffer) => void, end: () => void) => (() => void) | undefined;

function connectAnd({ url }: SecondGateway, { act, isDeaf }: Attack): Promise<Outcome> {
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
    socket.on("end", () => void (isDeaf || socket.destroy()));
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
const slowHeaders: Act = (write) => {
  write("GET / HTTP/1.1\r\nhost: x\r\nx: ");
  return every(1_000, () => write("y"));
};
const slowBody: Act = (write) => {
  write(`${head}content-length: 1000\r\n\r\n{`);
  return every(1_000, () => write(" "));
};
const hugeHeaders: Act = (write) => {
  write(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(64 * 1024)}\r\n\r\n`);
  return undefined;
};
const chunk = Buffer.alloc(64 * 1024, " ");
const chunksOf =
  (count: number): Act =>
  (write) => {
    write(`${head}transfer-encoding: chunked\r\n\r\n`);
    let left = count;
    return every(5, () => {
      if (left-- <= 0) return;
      write("10000\r\n");
      write(chunk);
      write("\r\n");
    });
  };
const halfClosed: Act = (write, end) => {
  write(`${head}content-length: 1000\r\n\r\n{`);
  end();
  return undefined;
};
const garbage: Act = (write) => {
  write(`GET / HTTP/1.1\r\nhost: x\r\n\r\n${"\u0001garbage \r\n".repeat(50)}`);
  return undefined;
};

interface Attack {
  readonly name: string;
  readonly act: Act;
  readonly count: number;
  /** Goes on when the answer and the end have come. */
  readonly isDeaf?: boolean;
  readonly answers: RegExp;
  readonly withinMs: number;
}

const honest: Attack = {
  name: "honest request",
  act: (write) => {
    write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    return undefined;
  },
  count: 500,
  answers: /^HTTP\/1.1 200 /,
  withinMs: 8_000,
};

const attacks = {
  slowHeaders: {
    name: "slow headers",
    act: slowHeaders,
    count: 120,
    answers: /^HTTP\/1.1 408 /,
    withinMs: 8_000,
  },
  slowBody: {
    name: "slow body",
    act: slowBody,
    count: 120,
    answers: /^HTTP\/1.1 408 /,
    withinMs: 18_000,
  },
  hugeHeaders: {
    name: "64 KiB of headers",
    act: hugeHeaders,
    count: 80,
    answers: /^HTTP\/1.1 431 /,
    withinMs: 8_000,
  },
  halfClosed: {
    name: "half closed",
    act: halfClosed,
    count: 80,
    answers: /^(?:HTTP\/1.1 4|$)/,
    withinMs: 8_000,
  },
  garbage: {
    name: "garbage behind a request",
    act: garbage,
    count: 80,
    answers: /^HTTP\/1.1 200 [\s\S]*(?:HTTP\/1.1 400 |$)/,
    withinMs: 8_000,
  },
  large: {
    name: "10 MiB in chunks",
    act: chunksOf(160),
    count: 20,
    answers: /^HTTP\/1.1 413 /,
    withinMs: 18_000,
  },
  deaf: {
    name: "chunks without an end, whatever the answer",
    act: chunksOf(Number.POSITIVE_INFINITY),
    count: 20,
    isDeaf: true,
    answers: /^HTTP\/1.1 413 /,
    withinMs: 18_000,
  },
} as const;

async function assault(gateway: SecondGateway, attack: Attack, t: TestContext): Promise<void> {
  const { name, count, answers, withinMs } = attack;
  const outcomes = await Promise.all(
    Array.from({ length: count }, () => connectAnd(gateway, attack)),
  );
  const longest = Math.max(...outcomes.map(({ closedAfterMs }) => closedAfterMs));
  const wrong = outcomes.filter(({ answer }) => !answers.test(answer));
  t.diagnostic(`${count} × ${name}: closed after ${longest.toFixed(0)} ms at most`);
  assert.equal(wrong.length, 0, `${name}: ${JSON.stringify(wrong[0])}`);
  assert.ok(longest <= withinMs, `${name}: ${longest} ms`);
}

const rssMiB = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

test("500 hostile connections are turned away in time, and nobody else notices", async (t) => {
  await using gateway = await startSecondGateway(platform);
  // A process that has never worked has less memory than one that has. As many honest clients come first, until
  // each page of V8's young generation (32 MiB, --max-semi-space-size) has been written to.
  const warm = startLoad({ url: gateway.url, perSecond: 300, connections: 100 });
  await sleep(4_000);
  await warm.stop();
  for (let round = 0; round < 12; round++) await assault(gateway, honest, t);
  await waitFor("the connections to be closed", () => openFiles(gateway.pid) < 80);
  const before = { rss: rssMiB(gateway.pid), files: openFiles(gateway.pid) };
  let most = before.rss;
  using _watch = setInterval(() => (most = Math.max(most, rssMiB(gateway.pid))), 50);
  const { pid } = gateway;
  const probe = startLoad({ url: `${gateway.adminUrl}/livez`, perSecond: 25, connections: 1, pid });
  await waitFor("the first probe", () => probe.samples.length > 0);
  // An attack comes from other machines. This thread must not take the gateway's CPU, nor that of the probe's thread.
  setPriority(constants.priority.PRIORITY_LOW);
  const { large, deaf, ...small } = attacks;
  const rss: number[] = [before.rss];
  for (const some of [small, ...Array.from({ length: 4 }, () => [{ large }, { deaf }]).flat()]) {
    await Promise.all(Object.values(some).map((each) => assault(gateway, each, t)));
    rss.push(rssMiB(gateway.pid));
  }
  await probe.stop();
  const alive = probe.samples;
  const all = Math.max(...alive.map(({ tookMs }) => tookMs));
  // Of some 750 probes one may meet a pause of the machine or of the thread that asks.
  const [, slowest = 0] = alive
    .map(({ tookMs, waitedMs = 0 }) => tookMs - waitedMs)
    .sort((one, other) => other - one);
  t.diagnostic(
    `/livez: p99 ${percentile(alive, 0.99).toFixed(1)} ms, ${all.toFixed(1)} ms at most`,
  );
  t.diagnostic(`/livez: ${slowest.toFixed(1)} ms, without the waits for a CPU, for all but one`);
  await waitFor("the sockets to be given back", () => openFiles(gateway.pid) <= before.files + 2);
  t.diagnostic(`RSS ${rss.map(Math.round).join(" → ")} MiB, ${most.toFixed(0)} at most`);
  assert.ok(alive.every(({ status }) => status === 200));
  assert.ok(slowest < 50, `/livez ${slowest} ms`);
  assert.ok(most <= before.rss + 20, `RSS ${most} MiB`);
});
