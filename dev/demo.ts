import { request } from "node:http";

const callTimeoutMs = 10_000;

export interface DemoOptions {
  /** The gateway's. */
  readonly url: string;
  readonly email: string;
  readonly password: string;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly body: { token?: string; orders?: unknown[]; detail?: string };
}

interface Call {
  readonly token?: string;
  readonly body?: object;
  readonly headers?: Record<string, string>;
}

const orders = [
  {
    items: [{ sku: "TEA-EARL-GREY", quantity: 2, unitPriceMinor: 499 }],
    currencyCode: "EUR",
    note: "Leave it with the neighbours",
  },
  {
    items: [
      { sku: "MUG-BLUE", quantity: 4, unitPriceMinor: 1250 },
      { sku: "KETTLE-1L", quantity: 1, unitPriceMinor: 5900 },
    ],
    currencyCode: "EUR",
    note: "",
  },
  {
    items: [{ sku: "BOOK-TEA", quantity: 1, unitPriceMinor: 2480 }],
    currencyCode: "JPY",
    note: "A present: no price tag, please",
  },
];

/**
 * Makes sure that the demo account is there and has orders, over REST as any client would. Repeating
 * it changes nothing.
 *
 * @throws {Error} that says which call was answered how.
 */
export async function loadDemoData(options: DemoOptions): Promise<void> {
  const call = caller(options);
  const token = (await register(call, options)) ?? (await logIn(call, options));
  const known = await call("GET", "/api/orders/list?pageSize=1", { token });
  if (expect(200, known, "the list of orders").body.orders?.length === 0) {
    for (const [index, body] of orders.entries()) {
      const headers = { "idempotency-key": `demo-order-${index + 1}` };
      expect(201, await call("POST", "/api/orders/add", { token, body, headers }), "a new order");
    }
  }
  // An account may have only so many sessions; ours would push out those of whoever uses it.
  expect(204, await call("POST", "/api/users/out", { token, body: {} }), "the logout");
}

/** For an account that is there. */
async function logIn(call: ReturnType<typeof caller>, { email, password }: DemoOptions) {
  const answer = await call("POST", "/api/users/log", { body: { email, password } });
  if (answer.status === 401) throw new Error(`${email} is there already, with another password`);
  return tokenIn(expect(200, answer, "the login"));
}

/** First, since a login of nobody would stand in the log as a failed one. */
async function register(call: ReturnType<typeof caller>, { email, password }: DemoOptions) {
  const body = { name: "Robin Demo", email, password };
  const answer = await call("POST", "/api/users/reg", { body });
  return answer.status === 409 ? undefined : tokenIn(expect(201, answer, "the registration"));
}

function tokenIn({ body }: Answer): string {
  if (!body.token) throw new Error("no token came back");
  return body.token;
}

function expect(status: number, answer: Answer, what: string): Answer {
  if (answer.status === status) return answer;
  throw new Error(`${what} was answered with ${answer.status} ${answer.body.detail ?? ""}`.trim());
}

function caller({ url, signal }: DemoOptions) {
  return (method: string, path: string, { token, body, headers }: Call = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const outgoing = request(new URL(path, url), {
        method,
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]),
        headers: {
          ...(body && { "content-type": "application/json" }),
          ...(token && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...ownAddress(url),
      });
      outgoing.on("error", reject);
      outgoing.on("response", (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({ status: incoming.statusCode ?? 0, body: text ? JSON.parse(text) : {} }),
        );
      });
      outgoing.end(body && JSON.stringify(body));
    });
}

/** Limits count by address. From another one of loopback's, the demo leaves those of 127.0.0.1 untouched. */
function ownAddress(url: string): { localAddress?: string } {
  const loopback = process.platform === "linux" && new URL(url).hostname === "127.0.0.1";
  return loopback ? { localAddress: "127.0.0.2" } : {};
}
