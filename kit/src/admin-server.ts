import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Registry } from "@prometheus-io/client";

/** What was asked of a page. */
export interface AdminRequest {
  /** A HEAD is answered without the body, so it should cost nothing to make. */
  readonly method: "GET" | "HEAD";
  readonly query: URLSearchParams;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
}

/** A page of the admin port. A string is sent as text, bytes as they are, anything else as JSON. */
export type AdminPage = (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;

export interface AdminAnswer {
  /** HTTP status. Default 200. */
  readonly status?: number;
  /** Content type. Default: text or JSON, as the body is. */
  readonly type?: string;
  readonly body: unknown;
}

export interface AdminServerOptions {
  readonly registry: Registry;
  /** Whether the process takes requests: started, and not draining. */
  readonly isReady: () => boolean;
  /** What else to show on `/readyz` without failing it, by name. */
  readonly details: ReadonlyMap<string, () => unknown>;
  /** More pages, by path. */
  readonly pages: ReadonlyMap<string, AdminPage>;
}

/**
 * The operators' port: `/metrics` (Prometheus), `/livez` (the event loop turns), `/readyz` (200 or
 * 503), and the pages given. Not to be reached from outside.
 */
export function createAdminServer(options: AdminServerOptions): Server {
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    respond(options, request, response).catch(() => response.destroy());
  });
}

async function respond(
  options: AdminServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method, url = "/" } = request;
  const [path = "/", ...rest] = url.split("?");
  const isRead = method === "GET" || method === "HEAD";
  const page = isRead ? pageAt(path, options) : undefined;
  const query = new URLSearchParams(rest.join("?"));
  const answer =
    isRead && page
      ? await page({ method, query, signal: leaving(response) })
      : { status: 404, body: "not found\n" };
  const { status = 200, type, body } = answer;
  const isText = typeof body === "string";
  response.writeHead(status, {
    "content-type": type ?? (isText ? "text/plain; charset=utf-8" : "application/json"),
    "cache-control": "no-store",
  });
  const isRaw = isText || body instanceof Uint8Array;
  response.end(isRaw ? body : `${JSON.stringify(body, null, 2)}\n`);
}

function leaving(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

function pageAt(path: string, options: AdminServerOptions): AdminPage | undefined {
  const { registry, isReady, details, pages } = options;
  switch (path) {
    case "/livez":
      return () => ({ body: "ok\n" });
    case "/readyz":
      return () => ({ status: isReady() ? 200 : 503, body: readiness(isReady(), details) });
    case "/metrics":
      return async () => ({ type: registry.contentType, body: await registry.metrics() });
    default:
      return pages.get(path);
  }
}

function readiness(ready: boolean, details: ReadonlyMap<string, () => unknown>) {
  return { ready, ...Object.fromEntries([...details].map(([name, show]) => [name, show()])) };
}
