import type { IncomingHttpHeaders } from "node:http2";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  codeFromHttpStatus,
  parseContentType,
  validateTrailer,
} from "@connectrpc/connect/protocol-grpc";
import { receivedHeaders } from "../rpc/received-headers.ts";
import { FrameReader } from "./frame.ts";

/** The answer to a unary call, as far as it has arrived. */
export class Answer<O extends DescMessage> {
  /** Response headers, once they are there. */
  header: IncomingHttpHeaders | undefined;
  /** Trailers, once they are there; an answer may have none ("Trailers-Only"). */
  trailer: IncomingHttpHeaders | undefined;
  readonly #output: O;
  readonly #frame: FrameReader;

  constructor(output: O, readMaxBytes: number) {
    this.#output = output;
    this.#frame = new FrameReader(readMaxBytes);
  }

  /**
   * Takes the response headers.
   * @throws ConnectError if they are not those of a gRPC answer.
   */
  begin(header: IncomingHttpHeaders): void {
    this.header = header;
    const status = Number(header[":status"]);
    if (status !== 200) {
      const code = codeFromHttpStatus(status);
      throw new ConnectError(`HTTP ${status}`, code, receivedHeaders(header));
    }
    const type = header["content-type"];
    if (type !== "application/grpc+proto" && !isBinaryGrpc(type)) {
      throw new ConnectError(
        `unsupported content type ${type}`,
        Code.Unknown,
        receivedHeaders(header),
      );
    }
    const encoding = header["grpc-encoding"];
    if (encoding !== undefined && encoding !== "identity") {
      const message = `unsupported response encoding "${encoding}"`;
      throw new ConnectError(message, Code.Internal, receivedHeaders(header));
    }
  }

  /** True once the service has said what became of the call. */
  get hasStatus(): boolean {
    return this.trailer !== undefined || this.header?.["grpc-status"] !== undefined;
  }

  /**
   * Takes a part of the body.
   * @throws ConnectError as soon as it cannot be a message that is accepted here.
   */
  push(chunk: Buffer): void {
    this.#frame.push(chunk);
  }

  /**
   * The message, at the end of the stream.
   * @throws ConnectError with the status and details that the service sent, or for a broken protocol.
   */
  finish(): MessageShape<O> {
    const message = this.#frame.finish(this.#output);
    if (this.trailer?.["grpc-status"] !== "0") this.#throwStatus(message !== undefined);
    if (message !== undefined) return message;
    const text = "protocol error: missing output message for unary method";
    throw new ConnectError(text, Code.Unimplemented);
  }

  /** Trailers-Only answers carry the status in the headers. */
  #throwStatus(hasMessage: boolean) {
    const header = receivedHeaders(this.header);
    const trailer = receivedHeaders(this.trailer);
    if (this.trailer !== undefined) return validate(trailer, header);
    if (hasMessage && header.has("grpc-status")) {
      const text = "protocol error: received an output message and the status in the headers";
      throw new ConnectError(text, Code.Unknown);
    }
    validate(header, new Headers());
    const text = "protocol error: missing output message for unary method";
    throw new ConnectError(text, Code.Unknown);
  }
}

function isBinaryGrpc(type: string | undefined): boolean {
  return parseContentType(type ?? null)?.binary ?? false;
}

/** Throws the error of a status; one whose message is not decodable still has its code. */
function validate(trailer: Headers, header: Headers): void {
  try {
    validateTrailer(trailer, header);
  } catch (error) {
    if (error instanceof ConnectError) throw error;
    const code = Number(trailer.get("grpc-status"));
    const text = trailer.get("grpc-message") ?? "";
    throw new ConnectError(text, code in Code ? code : Code.Unknown, trailer);
  }
}
