import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { reasonOf } from "@3l1/kit/rpc/failure.ts";
import { recordedTraceIdOf, traceIdOf } from "@3l1/kit/tracing/traceparent.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { maxBodyBytes } from "../limits.ts";
import {
  type ProblemBody,
  problemOf,
  publicErrorOf,
  type RequestIdentity,
  retryAfterOf,
  statusOf,
} from "../problem.ts";
import {
  badRequest,
  clientLeft,
  methodNotAllowed,
  notFound,
  notJson,
  pathTooLong,
  tooLarge,
} from "../refusal.ts";
import { pathOf } from "../route-name.ts";

/** Every error as `application/problem+json`, wherever it came from. */
export const problemDetails = fastifyPlugin(
  async (app) => {
    app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
    app.setNotFoundHandler((request, reply) => {
      const allowed = methodsAt(request);
      if (allowed.length > 0) reply.header("allow", allowed.join(", "));
      return sendProblem(
        allowed.length > 0 ? methodNotAllowed(allowed) : notFound(),
        request,
        reply,
      );
    });
  },
  { name: "problem-details", dependencies: ["access-log"] },
);

/** Answers with an error. */
export function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = problemFor(noteError(thrown, request, reply), request);
  return reply.code(problem.status).type("application/problem+json").send(JSON.stringify(problem));
}

/** What a request's client reads of an error. */
export function problemFor(error: ConnectError, request: FastifyRequest): ProblemBody {
  return problemOf(error, { ...identityOf(request), instance: pathOf(request.raw.url ?? "/") });
}

/** What a request's client reads of an error when it speaks Connect or gRPC-Web. */
export function publicErrorFor(error: ConnectError, request: FastifyRequest): ConnectError {
  return publicErrorOf(error, identityOf(request));
}

function identityOf({ id, traceparent }: FastifyRequest): RequestIdentity {
  return { requestId: id, traceId: recordedTraceIdOf(traceparent) };
}

/**
 * What an error brings with it whichever face shows it: headers, and the code in the access log. What
 * nobody foresaw is logged here, once, and says nothing to the client.
 */
export function noteError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): ConnectError {
  const error = toConnectError(thrown);
  if (error.code === Code.Internal && error.cause !== undefined) logFailure(error.cause, request);
  request.outcome = codeToString(error.code);
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
  if (statusOf(error) === 401) reply.header("www-authenticate", challengeOf(error));
  return error;
}

function logFailure(err: unknown, { server, id, traceparent }: FastifyRequest): void {
  const line = { err, requestId: id, traceId: traceIdOf(traceparent) };
  server.log.error(line, "request failed");
}

/** RFC 6750, section 3: no error code without credentials. */
function challengeOf(error: ConnectError): string {
  return reasonOf(error) === Reason.INVALID_TOKEN ? 'Bearer error="invalid_token"' : "Bearer";
}

function methodsAt({ server, raw }: FastifyRequest): string[] {
  const url = pathOf(raw.url ?? "/");
  return server.supportedMethods.filter(
    (method) => method !== "OPTIONS" && server.findRoute({ method, url }) !== null,
  );
}

function toConnectError(thrown: unknown): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  const { code, statusCode = 500 } = thrown as Partial<FastifyError>;
  if (code === "ERR_STREAM_PREMATURE_CLOSE") return clientLeft();
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") return notJson();
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return tooLarge(maxBodyBytes);
  if (code === "FST_ERR_MAX_PARAM_LENGTH") return pathTooLong();
  if (statusCode >= 400 && statusCode < 500) return badRequest("the request is malformed");
  return new ConnectError("internal error", Code.Internal, undefined, undefined, thrown);
}
