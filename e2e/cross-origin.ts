/** Headers that a page may always send, and read, without being asked (Fetch standard). */
const safeToSend: ReadonlySet<string> = new Set(["accept", "accept-language", "content-language"]);
const safeToRead: ReadonlySet<string> = new Set([
  "cache-control",
  "content-language",
  "content-length",
  "content-type",
  "expires",
  "last-modified",
  "pragma",
]);
const simpleMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST"]);
const simpleTypes =
  /^(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)(?:;|$)/;

/** A page of some origin in a browser: its `fetch` keeps to CORS, and cookies come along by themselves. */
export interface Page {
  readonly fetch: typeof fetch;
  /** How often the server was asked beforehand. */
  preflights: number;
}

/** A `fetch` as a browser has it for a page of this origin, with `credentials: "include"`. */
export function pageOf(origin: string): Page {
  let cookie = "";
  const page: Page = {
    preflights: 0,
    async fetch(input, init) {
      const request = new Request(input, init);
      const asked = unsafeHeaders(request.headers);
      if (asked.length > 0 || !simpleMethods.has(request.method)) {
        page.preflights++;
        await preflight(request, origin, asked);
      }
      const headers = new Headers(request.headers);
      headers.set("origin", origin);
      if (cookie !== "") headers.set("cookie", cookie);
      const response = await fetch(new Request(request, { headers }));
      cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
      requireAllowed(response, origin);
      return readable(response);
    },
  };
  return page;
}

function unsafeHeaders(headers: Headers): string[] {
  const names = [...headers.keys()].filter((name) => !safeToSend.has(name));
  const hasSimpleType = simpleTypes.test(headers.get("content-type") ?? "text/plain");
  return names.filter((name) => name !== "content-type" || !hasSimpleType).sort();
}

async function preflight(request: Request, origin: string, asked: string[]): Promise<void> {
  const { url, method } = request;
  const response = await fetch(url, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": asked.join(","),
    },
  });
  if (!response.ok) throw new TypeError(`the preflight of ${url} was answered ${response.status}`);
  requireAllowed(response, origin);
  const allowed = listOf(response, "access-control-allow-headers");
  for (const name of asked)
    if (!allowed.has(name)) throw new TypeError(`the header ${name} is not allowed`);
  const methods = listOf(response, "access-control-allow-methods");
  if (!simpleMethods.has(method) && !methods.has(method.toLowerCase()))
    throw new TypeError(`${method} is not allowed`);
}

function requireAllowed({ headers }: Response, origin: string): void {
  if (headers.get("access-control-allow-origin") !== origin)
    throw new TypeError(`pages of ${origin} may not read this`);
  if (headers.get("access-control-allow-credentials") !== "true")
    throw new TypeError("not with credentials");
}

/** The answer with the headers that the page gets to see. */
function readable(response: Response): Response {
  const exposed = listOf(response, "access-control-expose-headers");
  const seen = [...response.headers].filter(([name]) => safeToRead.has(name) || exposed.has(name));
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers: new Headers(seen) });
}

function listOf({ headers }: Response, name: string): Set<string> {
  const list = headers.get(name) ?? "";
  return new Set(list.split(",").map((each) => each.trim().toLowerCase()));
}
