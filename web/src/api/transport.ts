import type { AccessToken } from "@3l1/gen/client/access-token.ts";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";

/** Longer than the gateway's own deadline, so that it is the one to say that something took too long. */
const timeoutMs = 15_000;

/**
 * The gateway that has sent this page, by the Connect protocol. The session cookie goes along by itself,
 * and the browser tells that the request is from our own page.
 */
export function plainTransport(token: AccessToken, ...before: Interceptor[]): Transport {
  return createConnectTransport({
    baseUrl: location.origin,
    defaultTimeoutMs: timeoutMs,
    interceptors: [...before, token.interceptor],
  });
}
