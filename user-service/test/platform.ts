import { setTimeout as sleep } from "node:timers/promises";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { createServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { reasonOf } from "@3l1/kit/rpc/failure.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { createTestDatabase } from "@3l1/kit/stores/test-database.ts";
import { ConnectError, createClient } from "@connectrpc/connect";
import postgres, { type Sql } from "postgres";
import { hashingRetryAfterMs } from "../src/limits.ts";
import { type OrderStandIn, startOrderStandIn } from "./order-service.ts";
import { type RunningService, startService } from "./running-service.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export const secretKey = "a secret of the tests that is longer than 32 characters";
export const admin = { email: "root@example.com", password: "what the operator made up" };
export const password = "a long enough passphrase";

export interface PlatformOptions {
  /** Copies of the user-service. Default 1. */
  readonly copies?: number;
  /** Settings that differ. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Copies of the user-service on stores of their own, and who calls them. */
export class TestPlatform {
  readonly services: readonly RunningService[];
  readonly orders: OrderStandIn;
  /** Between the services and Redis. */
  readonly redisWay: TcpProxy;
  /** The services' database. */
  readonly sql: Sql;
  /** What the services were started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;

  constructor(parts: Omit<TestPlatform, "users" | "sessions" | "register" | "logIn" | "output">) {
    this.services = parts.services;
    this.orders = parts.orders;
    this.redisWay = parts.redisWay;
    this.sql = parts.sql;
    this.env = parts.env;
    this.stop = parts.stop;
  }

  /** A client to what is public. */
  users(copy = 0) {
    return createClient(UserService, this.#copy(copy).transport);
  }

  /** A client to what the gateway asks. */
  sessions(copy = 0) {
    return createClient(SessionService, this.#copy(copy).transport);
  }

  /** Somebody with a new account, logged in. */
  async register(name = "Ann", email = `${crypto.randomUUID()}@example.com`) {
    const answer = receive();
    const account = { name, email, password };
    const response = await patiently(() => this.users().register(account, answer.options()));
    return { email, ...loggedIn(response, answer.header()) };
  }

  /** Somebody who logs in. */
  async logIn(email: string, secret = password, copy = 0) {
    const answer = receive();
    const credentials = { email, password: secret };
    const response = await patiently(() => this.users(copy).login(credentials, answer.options()));
    return { email, ...loggedIn(response, answer.header()) };
  }

  /** All that the services have logged. */
  output(): string {
    return this.services.flatMap(({ log }) => log).join("");
  }

  #copy(copy: number): RunningService {
    const service = this.services[copy];
    if (service === undefined) throw new Error(`there is no copy ${copy}`);
    return service;
  }
}

/** @param stores the URLs in `TEST_DATABASE_URL` and `TEST_REDIS_URL` */
export async function startPlatform(
  stores: NodeJS.ProcessEnv,
  { copies = 1, env: changes = {} }: PlatformOptions = {},
): Promise<TestPlatform> {
  // Closes what was opened also when the rest fails to start: else the test run would hang.
  await using opened = new AsyncDisposableStack();
  const database = await createTestDatabase("users", stores.TEST_DATABASE_URL);
  opened.defer(database.drop);
  if (!stores.TEST_REDIS_URL)
    throw new Error("TEST_REDIS_URL has to name a Redis; `npm test` sees to it");
  const redisWay = await startTcpProxy(stores.TEST_REDIS_URL);
  const orders = await startOrderStandIn([secretKey]);
  opened.defer(orders.stop);
  const sql = postgres(database.url, { max: 2, onnotice: () => {} });
  opened.defer(() => sql.end());
  const env = {
    USER_DATABASE_URL: database.url,
    REDIS_URL: by(redisWay.port, stores.TEST_REDIS_URL),
    ORDER_SERVICE_URL: orders.url,
    SECRET_KEYS: secretKey,
    ADMIN_EMAIL: admin.email,
    ADMIN_PASSWORD: admin.password,
    ...changes,
  };
  const services = await Promise.all(Array.from({ length: copies }, () => startService(env)));
  for (const service of services) opened.defer(service.stop);
  const stack = opened.move();
  return new TestPlatform({
    services,
    orders,
    redisWay,
    sql,
    env,
    stop: () => stack.disposeAsync(),
  });
}

/** The same URL, password and all, by way of a port of ours. */
function by(port: number, target: string): string {
  const url = new URL(target);
  url.host = `127.0.0.1:${port}`;
  return url.href;
}

/** Runs share a Redis, which counts failed logins by network. */
export const clientIp = `2001:db8:${crypto.randomUUID().slice(0, 4)}:${crypto.randomUUID().slice(0, 4)}::1`;

/** What the gateway sends along: that it is the gateway, and where the client is. */
export function fromGateway(sessionKey?: string): Record<string, string> {
  return {
    [metadata.serviceCredential]: createServiceCredential([secretKey]).value,
    [metadata.clientIp]: clientIp,
    [metadata.clientDevice]: "a browser",
    ...(sessionKey && { [metadata.sessionKey]: sessionKey }),
  };
}

/** Catches the metadata of an answer. */
export function receive(headers: Record<string, string> = fromGateway()) {
  let received = new Headers();
  const onHeader = (header: Headers) => {
    received = header;
  };
  return { options: () => ({ headers, onHeader }), header: () => received };
}

export function bearer(token: string): Record<string, string> {
  return { [metadata.authorization]: `Bearer ${token}` };
}

/** Calls again while too many passwords wait to be checked, as a client should: machines may be slow. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (reasonOf(ConnectError.from(error)) !== Reason.PASSWORD_HASHING_BUSY) throw error;
      await sleep(hashingRetryAfterMs);
    }
  }
}

function loggedIn(
  { user, token }: { user?: { id: string } | undefined; token: string },
  header: Headers,
) {
  const sessionKey = header.get(metadata.sessionKey) ?? "";
  return { id: user?.id ?? "", token, sessionKey, header, headers: bearer(token) };
}
