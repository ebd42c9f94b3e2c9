import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { failure, sessionStoreUnavailable } from "@3l1/kit/rpc/failure.ts";
import { Code, ConnectError } from "@connectrpc/connect";

/*
 * What the edge itself turns away, as the errors that services throw: one table then gives all of
 * them their HTTP status.
 */

export const notFound = () => new ConnectError("there is nothing at this path", Code.NotFound);

export const methodNotAllowed = (allowed: readonly string[]) =>
  failure(Code.Unimplemented, `this path takes ${allowed.join(", ")}`, Reason.METHOD_NOT_ALLOWED);

export const tooLarge = (maxBytes: number) =>
  failure(
    Code.ResourceExhausted,
    `the body is larger than ${maxBytes} bytes`,
    Reason.PAYLOAD_TOO_LARGE,
  );

export const pathTooLong = () =>
  failure(Code.ResourceExhausted, "the path is too long", Reason.URI_TOO_LONG);

export const notJson = (message = "the body must be application/json in UTF-8") =>
  failure(Code.InvalidArgument, message, Reason.UNSUPPORTED_MEDIA_TYPE);

export const notRpc = () =>
  failure(
    Code.InvalidArgument,
    "the content type must be one of Connect or gRPC-Web",
    Reason.UNSUPPORTED_MEDIA_TYPE,
  );

export const badRequest = (message: string) => new ConnectError(message, Code.InvalidArgument);

export const loginRequired = () => new ConnectError("log in first", Code.Unauthenticated);

export const invalidToken = (message = "the access token is not valid") =>
  failure(Code.Unauthenticated, message, Reason.INVALID_TOKEN);

/** Redis is away, so nobody knows whether the token has been revoked. */
export const revocationsUnknown = () => sessionStoreUnavailable();

export const crossSite = () =>
  failure(Code.PermissionDenied, "another site sent this request", Reason.CROSS_SITE);

export const rateLimited = (retryAfterMs: number) =>
  failure(Code.ResourceExhausted, "too many requests", Reason.RATE_LIMITED, retryAfterMs);

export const tooManyStreams = (max: number) =>
  failure(
    Code.ResourceExhausted,
    `${max} streams of yours are open already`,
    Reason.TOO_MANY_STREAMS,
  );

export const overloaded = (retryAfterMs: number) =>
  failure(Code.Unavailable, "too many requests at once", Reason.OVERLOADED, retryAfterMs);

export const clientLeft = () => new ConnectError("the client left", Code.Canceled);
