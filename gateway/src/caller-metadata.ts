import { metadata } from "@3l1/kit/rpc/metadata.ts";
import type { FastifyRequest } from "fastify";
import { clientAddress } from "./client-address.ts";
import { maxDeviceLength } from "./limits.ts";

/** What goes along with a call to a service. A plain object, for which `Headers` need not be built. */
export type CallMetadata = Record<string, string>;

/** Names a request to the service that it is handed on to. */
export function traceMetadata({
  id,
  traceparent,
  tracestate,
}: Pick<FastifyRequest, "id" | "traceparent" | "tracestate">): CallMetadata {
  const header: CallMetadata = { [metadata.requestId]: id, [metadata.traceparent]: traceparent };
  if (tracestate !== undefined) header[metadata.tracestate] = tracestate;
  return header;
}

/**
 * What only the methods that deal with sessions are told: who asks from where, beside the credential
 * that makes it believable.
 */
export function addSessionMetadata(
  header: CallMetadata,
  request: FastifyRequest,
  credential: string,
  sessionKey: string | undefined,
): void {
  header[metadata.serviceCredential] = credential;
  header[metadata.clientIp] = clientAddress(request);
  header[metadata.clientDevice] = deviceOf(request.headers["user-agent"]);
  if (sessionKey !== undefined) header[metadata.sessionKey] = sessionKey;
}

/** Metadata is ASCII; a user agent need not be. */
function deviceOf(userAgent = ""): string {
  return userAgent
    .slice(0, maxDeviceLength)
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .trim();
}
