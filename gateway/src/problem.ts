import { STATUS_CODES } from "node:http";
import { ErrorInfoSchema, Reason, ReasonSchema } from "@3l1/gen/platform/v1/error_pb.ts";
import { errorInfoOf, reasonOf, retryAfterSecondsOf } from "@3l1/kit/rpc/failure.ts";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import {
  type FieldPath,
  ViolationsSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";

/** The body of an error (RFC 9457). */
export interface ProblemBody {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path that was asked for, without its query; of a long one the first 256 characters. */
  readonly instance: string;
  /** The Connect code, for example `not_found`. */
  readonly code: string;
  readonly requestId: string;
  /** Where the request is part of a trace that is recorded (W3C Trace Context). */
  readonly traceId?: string;
  /** Why, where the code alone does not tell, for example `breaker_open`. */
  readonly reason?: string;
  /** For bad input: each field, the rule it breaks, and what is wrong in words. */
  readonly violations?: readonly Violation[];
}

interface Violation {
  /** Its place in JSON, for example `items[0].unitPriceMinor`. */
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}

/** The request that an error answers. */
export interface RequestIdentity {
  readonly requestId: string;
  /** Unset where no trace is recorded. */
  readonly traceId?: string | undefined;
}

interface ProblemPlace extends RequestIdentity {
  readonly instance: string;
}

/** More than any path of ours. The rest is the client's, and nobody reads it. */
const maxInstanceLength = 256;

/** The one table from Connect codes to HTTP. */
const statusOfCode: Record<Code, number> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

/** Reasons that HTTP has a status of its own for. */
const statusOfReason: Partial<Record<Reason, number>> = {
  [Reason.IDEMPOTENCY_KEY_REUSED]: 422,
  [Reason.METHOD_NOT_ALLOWED]: 405,
  [Reason.PAYLOAD_TOO_LARGE]: 413,
  [Reason.URI_TOO_LONG]: 414,
  [Reason.UNSUPPORTED_MEDIA_TYPE]: 415,
};

/** All that an error of the server's side says: what happened inside is nobody's business. */
const sentenceOfStatus: Record<number, string> = {
  501: "this is not available yet",
  503: "the service cannot answer now, try again in a moment",
  504: "the service did not answer in time",
};
const otherServerError = "something went wrong on our side; the request id helps to find it";

/** The HTTP status that an error is answered with. */
export function statusOf(error: ConnectError): number {
  return statusOfReason[reasonOf(error)] ?? statusOfCode[error.code] ?? 500;
}

/** In seconds: where it is known, and always for a 503. */
export function retryAfterOf(error: ConnectError): number | undefined {
  const seconds = retryAfterSecondsOf(error);
  const atLeast = statusOf(error) === 503 ? 1 : undefined;
  return seconds === undefined ? atLeast : Math.max(1, seconds);
}

/** An error as the client reads it. */
export function problemOf(error: ConnectError, place: ProblemPlace): ProblemBody {
  const status = statusOf(error);
  const reason = reasonOf(error);
  const violations = violationsOf(error);
  return {
    type: "about:blank",
    title: titleOf(status),
    status,
    detail: detailOf(error, status, violations),
    instance: shortened(place.instance),
    code: codeToString(error.code),
    requestId: place.requestId,
    ...(place.traceId && { traceId: place.traceId }),
    ...(reason !== Reason.UNSPECIFIED && { reason: nameOf(reason) }),
    ...(status < 500 && violations.length > 0 && { violations }),
  };
}

/**
 * An error as clients of Connect and gRPC-Web read it: the words of the problem, and our own details.
 * An upstream's metadata and the details of others stay inside.
 */
export function publicErrorOf(error: ConnectError, request: RequestIdentity): ConnectError {
  const status = statusOf(error);
  const { reason, retryAfter } = errorInfoOf(error) ?? {};
  const info = { desc: ErrorInfoSchema, value: { ...request, reason, retryAfter } };
  const violations = status < 500 ? error.findDetails(ViolationsSchema) : [];
  const details = violations.map((value) => ({ desc: ViolationsSchema, value }));
  const message = detailOf(error, status, violationsOf(error));
  return new ConnectError(message, error.code, undefined, [info, ...details]);
}

function detailOf(error: ConnectError, status: number, violations: readonly Violation[]): string {
  if (status >= 500) return sentenceOfStatus[status] ?? otherServerError;
  const [first, ...more] = violations;
  if (first === undefined) return error.rawMessage;
  const sentence = first.field === "" ? first.message : `${first.field}: ${first.message}`;
  return more.length === 0 ? sentence : `${sentence}, and ${more.length} more`;
}

/** Does not end within a percent-encoded byte, since it has to stay a URI reference. */
function shortened(instance: string): string {
  if (instance.length <= maxInstanceLength) return instance;
  return instance.slice(0, maxInstanceLength).replace(/%[^%]?$/, "");
}

/** The reason phrase; 499 is nginx's, and Node has none for it. */
export function titleOf(status: number): string {
  return STATUS_CODES[status] ?? (status === 499 ? "Client Closed Request" : "Error");
}

function nameOf(reason: Reason): string {
  return (ReasonSchema.value[reason]?.localName ?? "unspecified").toLowerCase();
}

function violationsOf(error: ConnectError): Violation[] {
  return error
    .findDetails(ViolationsSchema)
    .flatMap(({ violations }) => violations)
    .map(({ field, ruleId, message }) => ({ field: pathOf(field), rule: ruleId, message }));
}

/** A field's place in JSON, for example `items[0].unitPriceMinor`. */
function pathOf(path: FieldPath | undefined): string {
  const elements = path?.elements ?? [];
  return elements.reduce((before, { fieldName, subscript }) => {
    const name = /^[a-z][a-z0-9_]*$/.test(fieldName) ? protoCamelCase(fieldName) : fieldName;
    const joined = before !== "" && name !== "" ? `${before}.${name}` : before + name;
    return subscript.case === undefined ? joined : `${joined}[${subscript.value}]`;
  }, "");
}
