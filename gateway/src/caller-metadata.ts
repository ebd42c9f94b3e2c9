import { metadata } from "@3l1/kit/metadata.ts";
import type { FastifyRequest } from "fastify";
import { clientAddress } from "./client-address.ts";
import { maxDeviceLength } from "./limits.ts";

/** Names a request to the service that it is handed on to. */
export function traceMetadata(request: Pick<FastifyRequest, "id" | "traceparent">): Headers {
  return new Headers({
    [metadata.requestId]: request.id,
    [metadata.traceparent]: request.traceparent,
  });
}

/**
 * What only the methods that deal with sessions are told: who asks from where, beside the credential
 * that makes it believable.
 */
export function addSessionMetadata(
  header: Headers,
  request: FastifyRequest,
  credential: string,
  sessionKey: string | undefined,
): void {
  header.set(metadata.serviceCredential, credential);
  header.set(metadata.clientIp, clientAddress(request));
  header.set(metadata.clientDevice, deviceOf(request.headers["user-agent"]));
  if (sessionKey !== undefined) header.set(metadata.sessionKey, sessionKey);
}

/** Metadata is ASCII; a user agent need not be. */
function deviceOf(userAgent = ""): string {
  return userAgent
    .slice(0, maxDeviceLength)
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .trim();
}
