import net from "node:net";

/** What to send, where, and until when. */
export interface LoadJob {
  readonly port: number;
  /** The whole HTTP/1.1 request, as it goes onto the wire. */
  readonly request: string;
  /** Connections, each with one request under way at a time. */
  readonly connections: number;
  /** For so long, in milliseconds … */
  readonly durationMs: number;
  /** … or for so many requests, whichever comes first. */
  readonly maxRequests: number;
}

/** What came back. */
export interface LoadResult {
  readonly requests: number;
  /** Answers whose status is not 2xx. */
  readonly failures: number;
  /** One of them, to look at. */
  readonly failure: string | undefined;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Keeps connections busy with one request after another. It writes bytes and looks for the end of the
 * answer, no more: on a machine with few cores a full HTTP client takes its time from the servers. And it
 * never sleeps: to wake a sleeper is part of a write, and would be booked to the server that answers:
 * in a virtual machine a fourth of what Fastify alone takes.
 *
 * @throws when a connection fails
 */
export async function load(job: LoadJob): Promise<LoadResult> {
  const run = new Run(job);
  const startedAt = performance.now();
  const fallAsleep = stayAwake();
  try {
    await Promise.all(Array.from({ length: job.connections }, () => connection(job.port, run)));
  } finally {
    fallAsleep();
  }
  return run.result((performance.now() - startedAt) / 1000);
}

/** Turns the event loop without a pause, until told otherwise. */
function stayAwake(): () => void {
  let isAwake = true;
  const turn = () => {
    if (isAwake) setImmediate(turn);
  };
  turn();
  return () => {
    isAwake = false;
  };
}

class Run {
  readonly request: Buffer;
  readonly #endAtMs: number;
  readonly #latenciesMs: number[] = [];
  #left: number;
  #failures = 0;
  #failure: string | undefined;

  constructor({ request, durationMs, maxRequests }: LoadJob) {
    this.request = Buffer.from(request, "latin1");
    this.#endAtMs = performance.now() + durationMs;
    this.#left = maxRequests;
  }

  /** True if another request is to be sent. */
  next(): boolean {
    return performance.now() < this.#endAtMs && this.#left-- > 0;
  }

  answered(latencyMs: number, answer: Buffer): void {
    this.#latenciesMs.push(latencyMs);
    if (answer[statusAt] === firstDigitOf2xx) return;
    this.#failures++;
    this.#failure ??= answer.toString();
  }

  result(seconds: number): LoadResult {
    const sorted = Float64Array.from(this.#latenciesMs).sort();
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
    const counts = { requests: sorted.length, failures: this.#failures, failure: this.#failure };
    return { ...counts, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
  }
}

/** `HTTP/1.1 200`: where the status stands. */
const statusAt = 9;
const firstDigitOf2xx = 0x32;

function connection(port: number, run: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    let received: Buffer | undefined;
    let sentAtMs = 0;
    const send = () => {
      if (!run.next()) return socket.destroy();
      sentAtMs = performance.now();
      socket.write(run.request);
    };
    socket.once("connect", send);
    socket.once("error", reject);
    socket.once("end", () => reject(new Error("the server closed a connection")));
    socket.once("close", () => resolve());
    socket.on("data", (chunk) => {
      received = received === undefined ? chunk : Buffer.concat([received, chunk]);
      if (!isComplete(received)) return;
      run.answered(performance.now() - sentAtMs, received);
      received = undefined;
      send();
    });
  });
}

/** Expects a content length: all that is measured here sends one. */
function isComplete(answer: Buffer): boolean {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const head = answer.toString("latin1", 0, headEnd);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without a content length:\n${head}`);
  return answer.length >= headEnd + 4 + Number(length);
}
