import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { type Client, ConnectError, createClient, type ServiceImpl } from "@connectrpc/connect";
import { Registry } from "@prometheus-io/client";
import { pino } from "pino";
import { createGrpcServer } from "../grpc/server.ts";
import { createUpstream, type Upstream, type UpstreamOptions } from "./upstream.ts";

/** Handlers of a test; a method without one is `unimplemented`. */
export type Handlers = Partial<ServiceImpl<typeof OrderService>>;

/** For tests: a real order-service on a port of the system's choice, which crashes on command. */
export class TestService implements AsyncDisposable {
  readonly #handlers: Handlers;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  #running: ReturnType<typeof createGrpcServer> | undefined;
  #port = 0;

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; the second time on the same port. */
  async start(): Promise<void> {
    this.#running = createGrpcServer({
      routes: (router) => router.service(OrderService, this.#handlers),
    });
    this.#running.server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#running.server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
    this.#port = (await this.#running.listen(this.#port, "127.0.0.1")).port;
  }

  /** Cuts every connection, as the end of a process does, and listens no more. */
  async crash(): Promise<void> {
    const server = this.#running?.server;
    if (server === undefined) return;
    this.#running = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.cut();
    await closed;
  }

  /** Cuts every connection, and goes on listening. */
  cut(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** The same without a word on the calls under way, as a process that is killed does it. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.crash();
  }
}

/** For tests: a service and an upstream of it. */
export interface UpstreamRig extends AsyncDisposable {
  service: TestService;
  upstream: Upstream;
  client: Client<typeof OrderService>;
  /** The upstream's clock: it stands still unless the test moves it. */
  clock: { ms: number };
  /** What was logged. */
  log: Record<string, unknown>[];
  registry: Registry;
  /** A metric's value; the labels need not be all of them. */
  metric(name: string, labels?: Record<string, string>): Promise<number | undefined>;
}

export async function startRig(
  handlers: Handlers,
  options: Partial<UpstreamOptions> = {},
): Promise<UpstreamRig> {
  const service = new TestService(handlers);
  await service.start();
  const clock = { ms: 1_000_000 };
  const log: Record<string, unknown>[] = [];
  const registry = new Registry();
  const upstream = createUpstream({
    name: "order-service",
    baseUrls: [service.url],
    timeoutMs: 5_000,
    logger: pino({ base: {} }, { write: (line) => log.push(JSON.parse(line)) }),
    registry,
    now: () => clock.ms,
    random: () => 0,
    ...options,
  });
  return {
    service,
    upstream,
    client: createClient(OrderService, upstream.transport),
    clock,
    log,
    registry,
    metric: (name, labels = {}) => readMetric(registry, name, labels),
    async [Symbol.asyncDispose]() {
      await service.crash();
      await upstream.close();
    },
  };
}

async function readMetric(
  registry: Registry,
  name: string,
  wanted: Record<string, string>,
): Promise<number | undefined> {
  const { values } = (await registry.getSingleMetric<string>(name)?.get()) ?? { values: [] };
  const matching = values.filter(({ labels }) =>
    Object.entries(wanted).every(([label, value]) => labels[label] === value),
  );
  return matching.length === 0 ? undefined : matching.reduce((sum, { value }) => sum + value, 0);
}

/** Waits until something is so. The test runner's timeout ends a wait in vain. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await turn();
}

/** What a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const value = await call.then(
    () => new Error("the call should have failed"),
    (error: unknown) => error,
  );
  if (value instanceof ConnectError) return value;
  throw value;
}
