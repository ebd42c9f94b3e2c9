// Fastify in front of a service: node gateway.ts <variant> <port of the service>. Tells its own port, and
// lives as long as its parent.

import type { AddressInfo } from "node:net";
import {
  type GetOrderResponse,
  GetOrderResponseSchema,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { toJsonString } from "@bufbuild/protobuf";
import Fastify from "fastify";
import { connectClient } from "./connect-hop.ts";
import { grpcJsClient } from "./grpc-js-hop.ts";
import { sampleAnswer } from "./order.ts";
import { connectHops, type HopVariant, type Listening } from "./variants.ts";

/** Where the order comes from. */
export type GetOrder = (id: string) => Promise<GetOrderResponse>;

const [variant, servicePort] = process.argv.slice(2) as [HopVariant, string];
process.once("disconnect", () => process.exit());
const getOrder = clientOf(variant, Number(servicePort));
const app = Fastify();
app.get<{ Querystring: { id: string } }>("/api/orders/info", async ({ query }, reply) => {
  const answer = await getOrder(query.id);
  reply.type("application/json; charset=utf-8");
  return toJsonString(GetOrderResponseSchema, answer, { alwaysEmitImplicit: true });
});
await app.listen({ port: 0, host: "127.0.0.1" });
const { port } = app.server.address() as AddressInfo;
process.send?.({ port } satisfies Listening);

function clientOf(variant: HopVariant, port: number): GetOrder {
  if (variant === "grpc-js") return grpcJsClient(port);
  const hop = connectHops[variant];
  if (hop !== undefined) return connectClient(hop, port);
  const answer = sampleAnswer();
  return async () => answer;
}
