import type { MethodPolicy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { metadata } from "@3l1/kit/metadata.ts";
import { parseRevocation, type Revocations } from "@3l1/kit/revocations.ts";
import type { DescMessage, DescMethodUnary, MessageShape } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import type { FastifyReply, FastifyRequest } from "fastify";
import { badInput } from "./bad-input.ts";
import { addSessionMetadata, traceMetadata } from "./caller-metadata.ts";
import type { SessionCookie } from "./session-cookie.ts";

/** A method of an upstream. */
export interface ForwardTarget<I extends DescMessage, O extends DescMessage> {
  readonly method: DescMethodUnary<I, O>;
  readonly policy: MethodPolicy;
  readonly transport: Transport;
}

/** Hands requests on to the services, whichever face they came through. */
export interface Forwarder {
  /** Calls a method for the request's identity. A client that leaves cancels the call. */
  unary<I extends DescMessage, O extends DescMessage>(
    request: FastifyRequest,
    reply: FastifyReply,
    target: ForwardTarget<I, O>,
    message: MessageShape<I>,
  ): Promise<MessageShape<O>>;
}

export interface ForwarderOptions {
  readonly cookie: SessionCookie;
  /** What proves to a service that it is us. */
  readonly credential: string;
  readonly revocations: Pick<Revocations, "apply">;
}

export function createForwarder(options: ForwarderOptions): Forwarder {
  const { cookie, credential, revocations } = options;
  return {
    async unary(request, reply, { method, policy, transport }, message) {
      const header = traceMetadata(request);
      const { token, sessionKey } = request.identity ?? {};
      if (token !== undefined) header.set(metadata.authorization, `Bearer ${token}`);
      if (policy.sessionKey) addSessionMetadata(header, request, credential, sessionKey);
      if (method.idempotency === IdempotencyLevel.IDEMPOTENCY_UNKNOWN)
        addIdempotencyKey(header, request);
      const answer = await transport.unary(method, leaving(reply), undefined, header, message);
      applyRevocation(answer.header, revocations);
      if (policy.sessionKey) keepSession(reply, answer.header, cookie);
      return answer.message;
    },
  };
}

/** Aborted when the client leaves before its answer is out. */
export function leaving(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
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

function addIdempotencyKey(header: Headers, request: FastifyRequest): void {
  const key = request.headers[metadata.idempotencyKey];
  if (key === undefined) return;
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    const message = "must be 1 to 255 printable ASCII characters";
    throw badInput([{ path: ["Idempotency-Key"], rule: "header.idempotency_key", message }]);
  }
  header.set(metadata.idempotencyKey, key);
}
