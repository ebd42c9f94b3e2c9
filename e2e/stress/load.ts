import { Agent, request } from "node:http";

/** What came of a request. */
export interface Sample {
  /** 0 when there was no whole answer. */
  readonly status: number;
  /** When it was sent, on the monotonic clock. */
  readonly atMs: number;
  readonly tookMs: number;
  /** Why there was no whole answer. */
  readonly error: string | undefined;
}

export interface LoadTarget {
  readonly url: string;
  readonly token?: string | undefined;
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly perSecond: number;
  /** Keep-alive connections at most. Default 1,000. */
  readonly connections?: number;
}

/** Requests that keep coming, whatever becomes of those before. */
export interface Load {
  readonly samples: readonly Sample[];
  /** Those sent from then on. */
  since(atMs: number): Sample[];
  /** Sends no more, and waits for what is under way. */
  stop(): Promise<void>;
}

export function startLoad(target: LoadTarget): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: target.connections ?? 1_000 });
  const samples: Sample[] = [];
  const underWay = new Set<Promise<void>>();
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * target.perSecond;
    for (; sent < due; sent++) {
      const one = ask(target, agent).then((sample) => void samples.push(sample));
      underWay.add(one);
      void one.then(() => underWay.delete(one));
    }
  }, 5);
  return {
    samples,
    since: (atMs) => samples.filter((sample) => sample.atMs >= atMs),
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
    },
  };
}

/** Sends one request and waits for the end of its answer, however long it takes. */
export function ask(target: Omit<LoadTarget, "perSecond">, agent?: Agent): Promise<Sample> {
  const { url, method = "GET", token, body } = target;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(text && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
  };
  const atMs = performance.now();
  return new Promise((resolve) => {
    const done = (status: number, error?: string) =>
      resolve({ status, atMs, tookMs: performance.now() - atMs, error });
    const sent = request(url, { method, headers, ...(agent && { agent }) }, (response) => {
      response.on("error", () => done(0, "half an answer"));
      response.resume().on("end", () => done(response.statusCode ?? 0));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => done(0, error.code ?? error.message));
    sent.end(text);
  });
}

/** The time that so large a share of the answers stayed below, in milliseconds. */
export function percentile(samples: readonly Sample[], share: number): number {
  const sorted = samples.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** How many there were of each status. */
export function statuses(samples: readonly Sample[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, error } of samples) {
    const name = error ?? String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
