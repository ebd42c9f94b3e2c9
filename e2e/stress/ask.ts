import { type Agent, request } from "node:http";

/** A request as a load sends it. */
export interface Ask {
  readonly url: string;
  readonly token?: string | undefined;
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came of a request. */
export interface Sample {
  /** 0 when there was no whole answer. */
  readonly status: number;
  /** When it was sent, on the monotonic clock of the story. */
  readonly atMs: number;
  readonly tookMs: number;
  /** How long of it the process that was asked, or else who asked, waited for a CPU, where that was looked at. */
  readonly waitedMs?: number;
  /** Why there was no whole answer. */
  readonly error: string | undefined;
  /** What an answer of 500 and above holds. */
  readonly problem?: string;
}

/** Sends one request and waits for the end of its answer, however long it takes. */
export function ask({ url, method = "GET", token, body, headers }: Ask, agent?: Agent) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const all = {
    ...headers,
    ...(token && { authorization: `Bearer ${token}` }),
    ...(text && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
  };
  const atMs = performance.now();
  return new Promise<Sample>((resolve) => {
    const done = (status: number, error?: string, problem?: string) => {
      const tookMs = performance.now() - atMs;
      resolve({ status, atMs, tookMs, error, ...(problem && { problem }) });
    };
    const sent = request(url, { method, headers: all, ...(agent && { agent }) }, (response) => {
      const { statusCode = 0 } = response;
      const chunks: Buffer[] = [];
      if (statusCode >= 500) response.on("data", (chunk) => void chunks.push(chunk));
      response.on("error", () => done(0, "half an answer"));
      response.resume().on("end", () => done(statusCode, undefined, String(Buffer.concat(chunks))));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => done(0, error.code ?? error.message));
    sent.end(text);
  });
}
