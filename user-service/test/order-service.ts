import { InternalOrderService } from "@3l1/gen/order/v1/internal_order_service_pb.ts";
import { createServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { createGrpcServer } from "@3l1/kit/grpc/server.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { Code, ConnectError } from "@connectrpc/connect";

/** Stands in for the order-service, whose contract is all that matters here: it notes who is purged. */
export interface OrderStandIn {
  readonly url: string;
  /** Ids of purged users, one a call. */
  readonly purged: readonly string[];
  /** Fails so many of the next calls. */
  failNext(calls: number): void;
  stop(): Promise<void>;
}

export async function startOrderStandIn(secretKeys: readonly string[]): Promise<OrderStandIn> {
  const credential = createServiceCredential(secretKeys);
  const purged: string[] = [];
  let failures = 0;
  const server = createGrpcServer({
    routes: (router) =>
      void router.service(InternalOrderService, {
        purgeUser({ userId }, { requestHeader }) {
          if (!credential.accepts(requestHeader.get(metadata.serviceCredential)))
            throw new ConnectError("no credential", Code.PermissionDenied);
          if (failures-- > 0) throw new ConnectError("not now", Code.Unavailable);
          purged.push(userId);
          return { removedOrders: 3n };
        },
      }),
  });
  const { port } = await server.listen(0, "127.0.0.1");
  return {
    url: `http://127.0.0.1:${port}`,
    purged,
    failNext(calls) {
      failures = calls;
    },
    stop: () => server.drain(0),
  };
}
