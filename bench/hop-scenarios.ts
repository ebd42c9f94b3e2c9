import type { ChildProcess } from "node:child_process";
import { startChild } from "./child.ts";
import { orderId } from "./hops/order.ts";
import { type HopVariant, hopVariants, type Listening } from "./hops/variants.ts";
import { type Scenario, usualConnections } from "./scenario.ts";

const titles: Readonly<Record<HopVariant, string>> = {
  fastify: "Fastify alone",
  stock: "Fastify → connect-node",
  "stock-interceptors": "Fastify → connect-node, with interceptors",
  "grpc-js": "Fastify → grpc-js",
  own: "Fastify → our hop",
  "own-interceptors": "Fastify → our hop, with interceptors",
};

/** Fastify in front of one service, over each kind of hop. */
export interface Hops {
  readonly scenarios: readonly Scenario[];
  stop(): void;
}

export async function startHops(): Promise<Hops> {
  const started = await Promise.all(hopVariants.map(startHop));
  return {
    scenarios: started.map(({ scenario }) => scenario),
    stop() {
      for (const { children } of started) for (const child of children) child.disconnect();
    },
  };
}

async function startHop(
  name: HopVariant,
): Promise<{ scenario: Scenario; children: ChildProcess[] }> {
  const service = await startService(name);
  const servicePort = `${service?.message.port ?? 0}`;
  const gateway = await startChild<Listening>("hops/gateway.ts", name, servicePort);
  const { port } = gateway.message;
  const scenario = {
    name,
    title: titles[name],
    port,
    request: `GET /api/orders/info?id=${orderId} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
    connections: usualConnections,
    processes: { gateway: gateway.pid, ...(service && { service: service.pid }) },
  };
  return { scenario, children: [gateway.process, ...(service ? [service.process] : [])] };
}

async function startService(name: HopVariant) {
  if (name === "fastify") return undefined;
  return await startChild<Listening>("hops/service.ts", name);
}
