import http2, {
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { encodeFrame, FrameReader } from "./frame.ts";
import { UnaryContext } from "./handler-context.ts";
import { rawMetadata } from "./metadata.ts";
import { errorTrailers, maskUnknown, okTrailers } from "./status.ts";
import { deadlineExceeded, parseGrpcTimeout, startDeadlineTimer } from "./timeout.ts";
import type { UnaryMethod } from "./unary-method.ts";

const { NGHTTP2_NO_ERROR } = http2.constants;

const CONTENT_TYPE = "application/grpc+proto";

/** What all calls of a server share. */
export interface ServerCallLimits {
  readonly readMaxBytes: number;
  readonly maxTimeoutMs: number;
}

/** Serves one unary call on its stream, from the headers to the trailers. */
export function serveUnaryCall(
  stream: ServerHttp2Stream,
  received: IncomingHttpHeaders,
  method: DescMethodUnary,
  run: UnaryMethod,
  limits: ServerCallLimits,
): void {
  new ServerCall(stream, method, limits).serve(received, run);
}

class ServerCall {
  readonly #stream: ServerHttp2Stream;
  readonly #method: DescMethodUnary;
  readonly #limits: ServerCallLimits;
  readonly #frame: FrameReader;
  #context: UnaryContext | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(stream: ServerHttp2Stream, method: DescMethodUnary, limits: ServerCallLimits) {
    this.#stream = stream;
    this.#method = method;
    this.#limits = limits;
    this.#frame = new FrameReader(limits.readMaxBytes);
  }

  serve(received: IncomingHttpHeaders, run: UnaryMethod): void {
    const stream = this.#stream;
    stream.on("error", () => {});
    stream.on("close", () => {
      this.#cancel();
      // Node.js keeps closed streams until its next full collection, and this with them.
      this.#context = undefined;
    });
    stream.on("data", (chunk: Buffer) => this.#guard(() => this.#frame.push(chunk)));
    stream.on("end", () => this.#guard(() => this.#run(run)));
    this.#guard(() => this.#begin(received));
  }

  #begin(received: IncomingHttpHeaders): void {
    const { maxTimeoutMs } = this.#limits;
    const askedMs = parseGrpcTimeout(received["grpc-timeout"] as string | undefined);
    const timeoutMs = Math.min(askedMs ?? maxTimeoutMs, maxTimeoutMs);
    const deadlineAtMs = askedMs === undefined ? undefined : performance.now() + timeoutMs;
    this.#context = new UnaryContext(this.#method, received, deadlineAtMs);
    this.#timer = startDeadlineTimer(timeoutMs, () => this.#fail(deadlineExceeded()));
  }

  #run(run: UnaryMethod): void {
    const context = this.#context;
    if (context === undefined) return;
    const message = this.#frame.finish(this.#method.input);
    if (message === undefined) {
      const text = "protocol error: missing input message for unary method";
      throw new ConnectError(text, Code.Unimplemented);
    }
    run(message, context).then(
      (output) => this.#guard(() => this.#succeed(output)),
      (error) => this.#fail(error),
    );
  }

  #succeed(output: Message): void {
    const frame = encodeFrame(this.#method.output, output);
    const { responseHeaderIfAny: header, responseTrailerIfAny: trailer } = this.#context ?? {};
    const metadata = header && rawMetadata(header);
    const trailers = okTrailers(trailer);
    this.#end();
    this.#respond(metadata, frame, trailers);
    this.#context?.abort();
  }

  #fail(reason: unknown): void {
    if (this.#ended) return;
    this.#end();
    const error = maskUnknown(reason);
    const { responseHeaderIfAny: header, responseTrailerIfAny: trailer } = this.#context ?? {};
    this.#respond(header && metadataIfFits(header), undefined, errorTrailers(error, trailer));
    this.#context?.abort(error);
  }

  /** The client has gone, or the call is over and so is its stream. */
  #cancel(): void {
    if (this.#ended) return;
    this.#end();
    this.#context?.abort(new ConnectError("the client cancelled the call", Code.Canceled));
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  /** Headers, at most one frame, trailers; all in one without metadata and frame ("Trailers-Only"). */
  #respond(
    metadata: readonly string[] | undefined,
    frame: Uint8Array | undefined,
    trailers: OutgoingHttpHeaders,
  ): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (frame === undefined && metadata === undefined) {
      const headers = { ":status": 200, "content-type": CONTENT_TYPE, ...trailers };
      stream.respond(headers, { endStream: true });
    } else {
      const headers = [":status", "200", "content-type", CONTENT_TYPE, ...(metadata ?? [])];
      stream.respond(headers, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      stream.end(frame);
    }
    if (!stream.readableEnded) stopReading(stream);
  }

  #guard(step: () => void): void {
    if (this.#ended) return;
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }
}

/** The answer is complete before the request is: the rest of it is not wanted. */
function stopReading(stream: ServerHttp2Stream): void {
  stream.once("finish", () => stream.close(NGHTTP2_NO_ERROR));
}

function metadataIfFits(header: Headers): readonly string[] | undefined {
  try {
    return rawMetadata(header);
  } catch {
    return undefined;
  }
}
