// `npm run tour`: the platform in a minute, on a platform of its own that is thrown away afterwards.

import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "./own-platform.ts";
import { createTerminal } from "./terminal.ts";
import { Visitor } from "./visitor.ts";

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
  const visitor = new Visitor(gatewayUrl, terminal);

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
  const breakers = (await response.json()) as Record<string, { state: string }>;
  return breakers["order-service"]?.state;
}
