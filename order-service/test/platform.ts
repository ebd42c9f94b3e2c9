import assert from "node:assert/strict";
import { InternalOrderService } from "@3l1/gen/order/v1/internal_order_service_pb.ts";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { createServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { createTestDatabase } from "@3l1/kit/stores/test-database.ts";
import { createTcpGate, type TcpGate } from "@3l1/kit/tcp-gate.ts";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { type RunningService, startService } from "./running-service.ts";
import { startSessionStandIn } from "./session-service.ts";

const secretKeys = "a secret of the tests that is longer than 32 characters";

/** Copies of the order-service on one database, and who calls them. */
export interface TestPlatform {
  /** A PostgreSQL URL of the services' database. */
  readonly databaseUrl: string;
  /** Between the services and their database. */
  readonly toDatabase: TcpGate;
  /** Between the services and the user-service. */
  readonly toUserService: TcpGate;
  /** A new user. */
  user(options?: { admin?: boolean; tokenSeconds?: number }): Promise<TestUser>;
  /** A client to the first copy of somebody without a token. */
  nobody(): Client<typeof OrderService>;
  /** A user's own client to what only processes of the platform may call. */
  internalOf(user: TestUser): Client<typeof InternalOrderService>;
  /** The user-service's client to a copy. */
  internal(copy?: number): Client<typeof InternalOrderService>;
  /** Ends a copy, as a signal would. */
  stopCopy(copy: number): Promise<void>;
  stop(): Promise<void>;
}

/** A user of the platform, with their access token. */
export interface TestUser {
  readonly id: string;
  /** What the user's calls carry. */
  readonly header: Record<string, string>;
  /** The user's client to the first copy. */
  readonly orders: Client<typeof OrderService>;
  /** The user's client to a copy. */
  at(copy: number): Client<typeof OrderService>;
}

/** @param env has `TEST_DATABASE_URL`, of a PostgreSQL superuser, and `TEST_REDIS_URL` */
export async function createTestPlatform(
  { TEST_DATABASE_URL, TEST_REDIS_URL }: NodeJS.ProcessEnv,
  { copies = 1 } = {},
): Promise<TestPlatform> {
  assert.ok(TEST_DATABASE_URL, "TEST_DATABASE_URL is missing; `npm test` starts a PostgreSQL");
  assert.ok(TEST_REDIS_URL, "TEST_REDIS_URL is missing; `npm test` starts a Redis");
  // Closes what was opened also when the rest fails to start: else the test run would hang.
  await using opened = new AsyncDisposableStack();
  const database = await createTestDatabase("orders", TEST_DATABASE_URL);
  opened.defer(database.drop);
  const sessions = await startSessionStandIn([secretKeys]);
  opened.defer(sessions.stop);
  const toDatabase = await gateTo(database.url);
  opened.defer(toDatabase.gate.shut);
  const toUserService = await gateTo(sessions.url);
  opened.defer(toUserService.gate.shut);
  const env = {
    ORDER_DATABASE_URL: toDatabase.url,
    REDIS_URL: TEST_REDIS_URL,
    USER_SERVICE_URL: toUserService.url,
    SECRET_KEYS: secretKeys,
  };
  const services = await Promise.all(Array.from({ length: copies }, () => startService(env)));
  for (const service of services) opened.defer(service.stop);
  const stack = opened.move();
  const transport = (copy: number) => (services[copy] as RunningService).transport;
  return {
    databaseUrl: database.url,
    toDatabase: toDatabase.gate,
    toUserService: toUserService.gate,
    async user({ admin = false, tokenSeconds = 300 } = {}) {
      const id = uuidv7();
      const token = await sessions.tokenFor(id, admin, tokenSeconds);
      const header = { [metadata.authorization]: `Bearer ${token}` };
      const at = (copy: number) => createClient(OrderService, withHeader(transport(copy), header));
      return { id, header, orders: at(0), at };
    },
    nobody: () => createClient(OrderService, transport(0)),
    internalOf: ({ header }) =>
      createClient(InternalOrderService, withHeader(transport(0), header)),
    internal(copy = 0) {
      const credential = createServiceCredential([secretKeys]).value;
      const header = { [metadata.serviceCredential]: credential };
      return createClient(InternalOrderService, withHeader(transport(copy), header));
    },
    stopCopy: async (copy) => services[copy]?.stop(),
    stop: () => stack.disposeAsync(),
  };
}

async function gateTo(address: string): Promise<{ gate: TcpGate; url: string }> {
  const url = new URL(address);
  const gate = await createTcpGate(url.hostname, Number(url.port));
  url.host = `127.0.0.1:${gate.port}`;
  return { gate, url: url.href };
}

function withHeader(transport: Transport, extra: Record<string, string>): Transport {
  const merged = (header?: ConstructorParameters<typeof Headers>[0]) => {
    const headers = new Headers(header);
    for (const [name, value] of Object.entries(extra)) headers.set(name, value);
    return headers;
  };
  return {
    unary: (method, signal, timeoutMs, header, ...rest) =>
      transport.unary(method, signal, timeoutMs, merged(header), ...rest),
    stream: (method, signal, timeoutMs, header, ...rest) =>
      transport.stream(method, signal, timeoutMs, merged(header), ...rest),
  };
}
