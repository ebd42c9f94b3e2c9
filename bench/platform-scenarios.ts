import type { Platform, PlatformFile } from "../dev/own-platform.ts";
import { items, password, placeOrder, register } from "../e2e/client.ts";
import { type Scenario, usualConnections } from "./scenario.ts";

/** Settings under which the limits are counted as ever, and never in the way; nor does a token end. */
export const unhindered = {
  ACCESS_TOKEN_TTL_SECONDS: "3600",
  RATE_LIMIT_IP_PER_MINUTE: "1000000",
  RATE_LIMIT_USER_PER_MINUTE: "1000000",
  RATE_LIMIT_LOGIN_PER_MINUTE: "1000000",
};

/** Logins under way at a time: hashing a password keeps a core busy. */
const loginConnections = 4;

/** The whole platform: reading an order, placing one, logging in. */
export async function platformScenarios({ gatewayUrl, now }: Platform): Promise<Scenario[]> {
  const { gateway, orderService, userService } = await now();
  const port = Number(new URL(gatewayUrl).port);
  const ann = await register(gatewayUrl);
  const order = await placeOrder(ann, "no rush");
  // Somebody else: who logs in very often loses the oldest session.
  const bob = await register(gatewayUrl, "Bob");
  const authorization = `Authorization: Bearer ${ann.token}`;
  const host = `Host: 127.0.0.1:${port}`;
  const withOrders = { gateway: gateway.pid, service: orderService.pid };
  return [
    {
      name: "read-order",
      title: "3L1: GET /api/orders/info",
      port,
      request: httpRequest(`GET /api/orders/info?id=${order.id}`, [host, authorization]),
      connections: usualConnections,
      processes: withOrders,
    },
    {
      name: "place-order",
      title: "3L1: POST /api/orders/add",
      port,
      request: httpRequest("POST /api/orders/add", [host, authorization], {
        items,
        currencyCode: "EUR",
        note: "no rush",
      }),
      connections: usualConnections,
      processes: withOrders,
    },
    {
      name: "log-in",
      title: "3L1: POST /api/users/log",
      port,
      request: httpRequest("POST /api/users/log", [host], { email: bob.email, password }),
      connections: loginConnections,
      processes: { gateway: gateway.pid, service: userService.pid },
    },
  ];
}

/** The three processes of the platform. */
export function pidsOf({ gateway, userService, orderService }: PlatformFile): number[] {
  return [gateway.pid, userService.pid, orderService.pid];
}

function httpRequest(target: string, headers: readonly string[], body?: object): string {
  const text = body === undefined ? "" : JSON.stringify(body);
  const aboutBody =
    body === undefined
      ? []
      : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(text)}`];
  return [`${target} HTTP/1.1`, ...headers, ...aboutBody, "", text].join("\r\n");
}
