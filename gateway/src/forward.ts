import type { MethodPolicy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { parseRevocation, type Revocations } from "@3l1/kit/auth/revocations.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageShape,
} from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { badInput } from "./bad-input.ts";
import { addSessionMetadata, type CallMetadata, traceMetadata } from "./caller-metadata.ts";
import type { SessionCookie } from "./session-cookie.ts";
import { guardStream } from "./stream-end.ts";
import { whenClosed } from "./when-closed.ts";

/** A method of an upstream. */
export interface ForwardTarget<M extends DescMethod> {
  readonly method: M;
  readonly policy: MethodPolicy;
  readonly transport: Transport;
}

/** What ends a call before its answer, beside the upstream's own deadline. */
export interface CallBounds {
  /** Cancels the call. Default: the client's leaving. */
  readonly signal?: AbortSignal;
  /** What the client gives it, in milliseconds. Default: no less than the upstream. */
  readonly timeoutMs?: number | undefined;
}

/** Hands requests on to the services, whichever face they came through. */
export interface Forwarder {
  /** Calls a method for the request's identity. A client that leaves cancels the call. */
  unary<I extends DescMessage, O extends DescMessage>(
    request: FastifyRequest,
    reply: FastifyReply,
    target: ForwardTarget<DescMethodUnary<I, O>>,
    message: MessageShape<I>,
    bounds?: CallBounds,
  ): Promise<MessageShape<O>>;
  /** The same for a method that answers with a stream, which ends with the caller's token. */
  stream<I extends DescMessage, O extends DescMessage>(
    request: FastifyRequest,
    reply: FastifyReply,
    target: ForwardTarget<DescMethodServerStreaming<I, O>>,
    message: MessageShape<I>,
    bounds?: CallBounds,
  ): AsyncIterable<MessageShape<O>>;
}

export interface ForwarderOptions {
  readonly cookie: SessionCookie;
  /** What proves to a service that it is us. */
  readonly credential: string;
  readonly revocations: Pick<Revocations, "apply" | "isRevoked">;
  /** Told when a stream is cut because its client does not read. */
  readonly onStreamCut: () => void;
}

export function createForwarder(options: ForwarderOptions): Forwarder {
  const { cookie, credential, revocations, onStreamCut: onCut } = options;

  function headerFor(request: FastifyRequest, { method, policy }: ForwardTarget<DescMethod>) {
    const header = traceMetadata(request);
    const { token, sessionKey } = request.identity ?? {};
    if (token !== undefined) header[metadata.authorization] = `Bearer ${token}`;
    if (policy.sessionKey) addSessionMetadata(header, request, credential, sessionKey);
    if (method.idempotency === IdempotencyLevel.IDEMPOTENCY_UNKNOWN)
      addIdempotencyKey(header, request);
    return header;
  }

  function heed(answer: Headers, reply: FastifyReply, policy: MethodPolicy): void {
    applyRevocation(answer, revocations);
    if (policy.sessionKey) keepSession(reply, answer, cookie);
  }

  return {
    async unary(request, reply, target, message, { signal, timeoutMs } = {}) {
      const { method, transport, policy } = target;
      const header = headerFor(request, target);
      const until = signal ?? leaving(reply);
      const answer = await transport.unary(method, until, timeoutMs, header, message);
      heed(answer.header, reply, policy);
      return answer.message;
    },
    async *stream(request, reply, target, message, { signal, timeoutMs } = {}) {
      const { method, transport, policy } = target;
      const header = headerFor(request, target);
      const caller = request.identity?.caller;
      const over = signal ?? leaving(reply);
      using guard = guardStream({ caller, revocations, response: reply.raw, onCut, over });
      const until = AbortSignal.any([over, guard.signal]);
      const input = createAsyncIterable([message]);
      const answer = await transport.stream(method, until, timeoutMs, header, input);
      heed(answer.header, reply, policy);
      yield* answer.message;
    },
  };
}

/** Aborted when the client leaves before its answer is out. */
export function leaving(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  whenClosed(reply.raw, () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** The gateway that answers is the first to refuse what the call revoked; the stream tells the others. */
function applyRevocation(header: Headers, revocations: ForwarderOptions["revocations"]): void {
  const text = header.get(metadata.revocation);
  const revocation = text === null ? undefined : parseRevocation(text);
  if (revocation !== undefined) revocations.apply(revocation);
}

/** The method has opened or ended a session: a token issued on the way to it belongs to the one before. */
function keepSession(reply: FastifyReply, header: Headers, cookie: SessionCookie): void {
  if (!header.has(metadata.sessionKey)) return;
  reply.removeHeader("x-access-token");
  reply.removeHeader("x-access-token-expires-in");
  cookie.write(reply, header);
}

function addIdempotencyKey(header: CallMetadata, request: FastifyRequest): void {
  const key = request.headers[metadata.idempotencyKey];
  if (key === undefined) return;
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    const message = "must be 1 to 255 printable ASCII characters";
    throw badInput([{ path: ["Idempotency-Key"], rule: "header.idempotency_key", message }]);
  }
  header[metadata.idempotencyKey] = key;
}
