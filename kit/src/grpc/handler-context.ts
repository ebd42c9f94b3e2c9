import type { IncomingHttpHeaders } from "node:http2";
import type { DescMethodUnary, DescService } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type HandlerContext,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { receivedHeaders } from "../rpc/received-headers.ts";

/** What becomes of the signal when the call has ended well; fixed, since a fresh error costs more. */
const ended = new ConnectError("the call has ended", Code.Canceled);

/** What an interceptor may have put in place of the original. */
type Replacement = Pick<HandlerContext, "requestHeader" | "signal" | "values">;

/** The context of one unary call. Headers, values and the signal are made when someone looks at them. */
export class UnaryContext implements HandlerContext {
  readonly method: DescMethodUnary;
  readonly requestMethod = "POST";
  readonly protocolName = "grpc";
  /** Own and bound, so that it survives destructuring. */
  readonly timeoutMs: () => number | undefined;
  /** The request as interceptors get it first. */
  request: UnaryRequest | undefined;
  /** The response as interceptors get it first. */
  response: UnaryResponse | undefined;
  readonly #received: IncomingHttpHeaders;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;
  #controller: AbortController | undefined;
  #replacement: Replacement | undefined;
  #abortReason: ConnectError | undefined;

  /** @param deadlineAtMs on `performance.now()`'s clock; `undefined` if the client asked for none. */
  constructor(
    method: DescMethodUnary,
    received: IncomingHttpHeaders,
    deadlineAtMs: number | undefined,
  ) {
    this.method = method;
    this.#received = received;
    this.timeoutMs = () =>
      deadlineAtMs === undefined ? undefined : deadlineAtMs - performance.now();
  }

  get service(): DescService {
    return this.method.parent;
  }

  get url(): string {
    const { ":scheme": scheme, ":authority": authority, ":path": path } = this.#received;
    return `${scheme}://${authority}${path}`;
  }

  get requestHeader(): Headers {
    if (this.#replacement !== undefined) return this.#replacement.requestHeader;
    this.#requestHeader ??= receivedHeaders(this.#received);
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  get values(): ContextValues {
    if (this.#replacement !== undefined) return this.#replacement.values;
    this.#values ??= createContextValues();
    return this.#values;
  }

  get signal(): AbortSignal {
    if (this.#replacement !== undefined) return this.#replacement.signal;
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Response headers, if anyone asked for them. */
  get responseHeaderIfAny(): Headers | undefined {
    return this.#responseHeader;
  }

  /** Response trailers, if anyone asked for them. */
  get responseTrailerIfAny(): Headers | undefined {
    return this.#responseTrailer;
  }

  /** What an interceptor passed on in place of the original request. */
  replaceRequest(replacement: Replacement): void {
    this.#replacement = replacement;
  }

  /** What an interceptor returned in place of the original response. */
  replaceResponse(header: Headers, trailer: Headers): void {
    this.#responseHeader = header;
    this.#responseTrailer = trailer;
  }

  /** Ends the call for everybody who listens to the signal. */
  abort(reason: ConnectError = ended): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(reason);
  }
}
