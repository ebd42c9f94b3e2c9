// `npm run tour`: the platform in a minute, on a platform of its own that is thrown away afterwards.

import { type Platform, startPlatform } from "./own-platform.ts";
import { createTerminal } from "./terminal.ts";
import { waitFor } from "./wait-for.ts";

const terminal = createTerminal(process.stdout, () => performance.now());
const tokenLifeSeconds = 3;
let steps = 0;

const platform = await terminal.step("a platform of its own", () =>
  startPlatform({
    ACCESS_TOKEN_TTL_SECONDS: `${tokenLifeSeconds}`,
    SESSION_ROTATE_AFTER_SECONDS: "1",
    SESSION_GRACE_SECONDS: "1",
  }),
);
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void platform.stop().then(() => process.exit(0)));
try {
  await walk(platform);
} finally {
  await platform.stop();
}

async function walk({ gatewayUrl, now }: Platform): Promise<void> {
  const visitor = new Visitor(gatewayUrl);

  tell("Register. The answer brings a short-lived token, and a session key in a cookie.");
  const account = {
    name: "Robin",
    email: "robin@example.com",
    password: "a walk in the park at noon",
  };
  await visitor.ask("POST", "/api/users/reg", account);

  tell("Place an order. Gateway and order-service each verify the token by themselves.");
  const items = [{ sku: "tea-1", quantity: 2, unitPriceMinor: 450 }];
  await visitor.ask("POST", "/api/orders/add", { items, currencyCode: "EUR" });

  tell(`The token lives ${tokenLifeSeconds} s here. Without the cookie it is soon worth nothing …`);
  await waitFor(
    "the token to expire",
    async () => (await visitor.withoutCookie("/api/users/me")) === 401,
  );
  visitor.show("GET", "/api/users/me, without the cookie", 401);

  tell("… and with the cookie nobody notices: the answer brings a new token and a new cookie.");
  await visitor.ask("GET", "/api/orders/list");

  tell("Bad input is told by field and rule, and never reaches a database.");
  await visitor.ask("POST", "/api/orders/add", {
    items: [{ ...items[0], quantity: 0 }],
    currencyCode: "euro",
  });

  const { gateway, orderService } = await now();
  tell(
    `Kill the order-service (pid ${orderService.pid}). Calls fail fast; after a few the breaker opens.`,
  );
  process.kill(orderService.pid, "SIGKILL");
  await waitFor("the breaker to open", async () => {
    await visitor.quietly("/api/orders/list");
    return (await breakerState(gateway.adminUrl)) === "open";
  });
  await visitor.ask("GET", "/api/orders/list");
  terminal.print(`      breaker of order-service: ${terminal.paint("red", "open")}`);

  tell("Accounts are served all along: each service has a breaker of its own.");
  await visitor.ask("GET", "/api/users/me");

  tell(
    "The service is started again after a second. The breaker lets three calls try, and closes.",
  );
  await waitFor("the breaker to close", async () => {
    await visitor.quietly("/api/orders/list");
    return (await breakerState(gateway.adminUrl)) === "closed";
  });
  await visitor.ask("GET", "/api/orders/list");
  terminal.print(`      breaker of order-service: ${terminal.paint("green", "closed")}`);

  terminal.print(
    `\n  That was it. ${terminal.paint("bold", "npm start")} gives you a platform to keep.\n`,
  );
}

function tell(text: string): void {
  terminal.print(`\n  ${terminal.paint("bold", `${++steps}.`)} ${text}`);
}

async function breakerState(adminUrl: string): Promise<string | undefined> {
  const response = await fetch(`${adminUrl}/breakers`);
  const breakers = (await response.json()) as { name: string; state: string }[];
  return breakers.find(({ name }) => name === "order-service")?.state;
}

/** Somebody with a token and a cookie, as a browser would hold them. */
class Visitor {
  readonly #url: string;
  #token = "";
  #cookie = "";

  constructor(url: string) {
    this.#url = url;
  }

  /** Sends a request and shows what comes back. */
  async ask(method: string, path: string, body?: object): Promise<void> {
    const response = await this.#send(method, path, body);
    const answer = (await response.json()) as { token?: string };
    const [cookie] = response.headers.getSetCookie();
    const token = response.headers.get("x-access-token") ?? answer.token;
    this.#cookie = cookie?.split(";")[0] ?? this.#cookie;
    this.#token = token ?? this.#token;
    this.show(method, path, response.status);
    const { token: _, ...shown } = answer;
    terminal.print(terminal.paint("dim", `      ${shorten(JSON.stringify(shown))}`));
    if (token) terminal.print(terminal.paint("dim", "      + a new token"));
    if (cookie) terminal.print(terminal.paint("dim", "      + a new cookie"));
  }

  show(method: string, path: string, status: number): void {
    const color = status < 400 ? "green" : "red";
    terminal.print(
      `      ${terminal.paint("cyan", `${method} ${path}`)} → ${terminal.paint(color, `${status}`)}`,
    );
  }

  async quietly(path: string): Promise<void> {
    await (await this.#send("GET", path)).body?.cancel();
  }

  async withoutCookie(path: string): Promise<number> {
    const response = await this.#send("GET", path, undefined, "");
    await response.body?.cancel();
    return response.status;
  }

  #send(method: string, path: string, body?: object, cookie = this.#cookie): Promise<Response> {
    return fetch(this.#url + path, {
      method,
      headers: {
        ...(body && { "content-type": "application/json" }),
        ...(this.#token && { authorization: `Bearer ${this.#token}` }),
        ...(cookie && { cookie }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
  }
}

function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
