import http2, { type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { AddressPool } from "../resilience/address-pool.ts";
import { Answer } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";
import {
  errorFromReset,
  isTransportFailure,
  neverRan,
  normalizeGrpcError,
  transportError,
} from "./error.ts";
import type { GrpcSession } from "./session.ts";
import { deadlineExceeded, encodeGrpcTimeout, startDeadlineTimer } from "./timeout.ts";

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = http2.constants;

/** A request refused before any handler saw it is sent again at once, this often. */
const MAX_SENDS = 3;

/** What is sent, and until when. */
export interface ExchangeRequest {
  readonly output: DescMessage;
  readonly path: string;
  /** Metadata as a raw header list; the protocol's own headers are added. */
  readonly metadata: readonly string[];
  readonly frame: Uint8Array;
  readonly readMaxBytes: number;
  /** The moment on `performance.now()`'s clock when the call fails, if it has a deadline. */
  readonly deadlineAtMs: number | undefined;
  /** Aborting it cancels the call. */
  readonly signal: AbortSignal | undefined;
}

/** What came back. */
export interface ExchangeResult {
  readonly message: Message;
  readonly header: IncomingHttpHeaders | undefined;
  readonly trailer: IncomingHttpHeaders | undefined;
}

/** One unary request and its answer. */
export function exchange(pool: AddressPool, request: ExchangeRequest): Promise<ExchangeResult> {
  return new Promise((resolve, reject) => {
    new Exchange(pool, request, resolve, reject).start();
  });
}

class Exchange {
  readonly #pool: AddressPool;
  readonly #request: ExchangeRequest;
  readonly #resolve: (result: ExchangeResult) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onAbort: () => void;
  #timer: NodeJS.Timeout | undefined;
  #settled = false;
  #sends = 0;
  #stream: ClientHttp2Stream | undefined;

  constructor(
    pool: AddressPool,
    request: ExchangeRequest,
    resolve: (result: ExchangeResult) => void,
    reject: (error: unknown) => void,
  ) {
    this.#pool = pool;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onAbort = () => this.#cancel(ConnectError.from(request.signal?.reason, Code.Canceled));
  }

  start() {
    const { signal, deadlineAtMs } = this.#request;
    if (signal?.aborted) return this.#onAbort();
    signal?.addEventListener("abort", this.#onAbort);
    if (deadlineAtMs !== undefined) {
      const leftMs = deadlineAtMs - performance.now();
      if (leftMs <= 0) return this.#cancel(deadlineExceeded());
      this.#timer = startDeadlineTimer(leftMs, () => this.#cancel(deadlineExceeded()));
    }
    this.#send(undefined);
  }

  #send(avoid: Endpoint | undefined): void {
    this.#sends += 1;
    const endpoint = this.#pool.pick(avoid);
    if (endpoint !== undefined) this.#sendTo(endpoint);
    else this.#acquireAndSend(avoid);
  }

  async #acquireAndSend(avoid: Endpoint | undefined): Promise<void> {
    try {
      const endpoint = await this.#pool.acquire(avoid);
      if (!this.#settled) this.#sendTo(endpoint);
    } catch (error) {
      this.#fail(error);
    }
  }

  #sendTo(endpoint: Endpoint): void {
    const { session } = endpoint;
    if (session === undefined) {
      this.#retry(endpoint, transportError("the connection went away", false));
      return;
    }
    const headers = this.#headers(endpoint);
    try {
      this.#stream = session.open(headers);
    } catch (error) {
      this.#fail(ConnectError.from(error, Code.Internal));
      return;
    }
    endpoint.callsUnderWay += 1;
    this.#listen(this.#stream, headers, session, endpoint);
    this.#stream.end(this.#request.frame);
  }

  #listen(
    stream: ClientHttp2Stream,
    headers: string[],
    session: GrpcSession,
    endpoint: Endpoint,
  ): void {
    const answer = new Answer(this.#request.output, this.#request.readMaxBytes);
    let cause: unknown;
    stream.on("response", (header) => this.#guard(endpoint, () => answer.begin(header)));
    stream.on("data", (chunk: Buffer) => this.#guard(endpoint, () => answer.push(chunk)));
    stream.on("trailers", (trailer) => {
      answer.trailer = trailer;
    });
    stream.on("end", () => {
      const cut = stream.rstCode !== NGHTTP2_NO_ERROR || session.isDestroyed;
      if (answer.header === undefined || (cut && !answer.hasStatus)) return;
      if (!this.#settled) this.#finish(answer, endpoint);
      if (!stream.writableFinished) stream.close(NGHTTP2_CANCEL);
    });
    stream.on("error", (error) => {
      cause = error;
    });
    stream.on("close", () => {
      endpoint.callsUnderWay -= 1;
      session.released(answer.header !== undefined);
      letGo(stream, headers);
      if (this.#settled) return;
      const ran = session.mayHaveRun(stream);
      const lost = session.isDestroyed ? session : undefined;
      this.#retry(endpoint, errorFromReset(stream.rstCode ?? 0, ran, cause, lost));
    });
  }

  #headers({ scheme, authority }: Endpoint): string[] {
    const { path, metadata, deadlineAtMs } = this.#request;
    const headers = [":method", "POST", ":scheme", scheme, ":authority", authority, ":path", path];
    headers.push("te", "trailers", "content-type", "application/grpc+proto");
    if (deadlineAtMs !== undefined) {
      headers.push("grpc-timeout", encodeGrpcTimeout(deadlineAtMs - performance.now()));
    }
    return metadata.length === 0 ? headers : headers.concat(metadata);
  }

  #finish(answer: Answer<DescMessage>, endpoint: Endpoint): void {
    const nowMs = performance.now();
    try {
      const message = answer.finish();
      endpoint.succeeded(nowMs);
      this.#settle();
      this.#resolve({ message, header: answer.header, trailer: answer.trailer });
    } catch (error) {
      if (isServiceFailure(error)) endpoint.failed(nowMs);
      else endpoint.succeeded(nowMs);
      this.#fail(normalizeGrpcError(error, this.#request.signal));
    }
  }

  /** What the answer breaks, ends the call and the stream. */
  #guard(endpoint: Endpoint, read: () => void): void {
    if (this.#settled) return;
    try {
      read();
    } catch (error) {
      if (isServiceFailure(error)) endpoint.failed(performance.now());
      this.#cancel(error);
    }
  }

  /** Sends again what provably never ran; else the call has failed. */
  #retry(endpoint: Endpoint, error: ConnectError): void {
    if (neverRan(error) && this.#sends < MAX_SENDS) {
      this.#send(endpoint);
    } else {
      if (isTransportFailure(error) && !neverRan(error)) endpoint.failed(performance.now());
      this.#fail(error);
    }
  }

  #cancel(error: unknown): void {
    this.#fail(error);
    this.#stream?.close(NGHTTP2_CANCEL);
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Node.js keeps a closed stream until its next full collection, and with it the headers it was opened with and all
 * that its listeners hold, which is the whole call.
 */
function letGo(stream: ClientHttp2Stream, headers: string[]): void {
  headers.length = 0;
  stream.removeAllListeners().on("error", ignore);
}

function ignore(): void {}

/** An `unavailable` without a reason: the address is at fault, not what its handler needs. */
function isServiceFailure(error: unknown): boolean {
  return (
    error instanceof ConnectError && error.code === Code.Unavailable && error.details.length === 0
  );
}
