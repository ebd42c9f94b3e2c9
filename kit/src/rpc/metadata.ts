/** Names of the metadata (HTTP headers, gRPC metadata) that the platform's processes exchange. */
export const metadata = {
  /** `Bearer` and the user's access token (RFC 6750). */
  authorization: "authorization",
  /** Names a request in every log line and error, from the edge to the last service. */
  requestId: "x-request-id",
  /** Trace context (W3C). */
  traceparent: "traceparent",
  /** What others add to the trace context, for those who know them (W3C). We only pass it on. */
  tracestate: "tracestate",
  /** The session key: in a request that of the caller, in an answer the one to keep; empty to forget it. */
  sessionKey: "session-key",
  /** In an answer with a session key: for how many seconds the client should keep it. */
  sessionKeyMaxAge: "session-key-max-age",
  /**
   * In an answer: what the call revoked, as `formatRevocation` writes it, so that the gateway refuses
   * it at once and not only when the stream says so.
   */
  revocation: "revocation",
  /** Proves that the caller is a process of the platform. */
  serviceCredential: "service-credential",
  /** The client's address, told by the gateway. Believed only beside a service credential. */
  clientIp: "client-ip",
  /** The client's user agent, told by the gateway. Believed only beside a service credential. */
  clientDevice: "client-device",
  /** Makes repeats of a call count once. */
  idempotencyKey: "idempotency-key",
} as const;
