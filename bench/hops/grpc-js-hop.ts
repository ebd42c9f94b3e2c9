import {
  GetOrderRequestSchema,
  GetOrderResponseSchema,
  OrderService,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import grpc from "@grpc/grpc-js";
import type { GetOrder } from "./gateway.ts";
import { sampleAnswer } from "./order.ts";

const { getOrder } = OrderService.method;
const method = {
  path: `/${OrderService.typeName}/${getOrder.name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: writer(GetOrderRequestSchema),
  requestDeserialize: reader(GetOrderRequestSchema),
  responseSerialize: writer(GetOrderResponseSchema),
  responseDeserialize: reader(GetOrderResponseSchema),
} as const;

/** The client's side. */
export function grpcJsClient(port: number): GetOrder {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = method;
  return (id) =>
    new Promise((resolve, reject) => {
      const request = create(GetOrderRequestSchema, { id });
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
      );
    });
}

/** The service's side. @returns its port */
export function grpcJsService(): Promise<number> {
  const server = new grpc.Server();
  const answer = sampleAnswer();
  server.addService(
    { getOrder: method },
    { getOrder: (_call: unknown, done: grpc.sendUnaryData<typeof answer>) => done(null, answer) },
  );
  return new Promise((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", credentials, (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

function writer<D extends DescMessage>(desc: D) {
  return (message: MessageShape<D>) => {
    const bytes = toBinary(desc, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function reader<D extends DescMessage>(desc: D) {
  return (bytes: Uint8Array) => fromBinary(desc, bytes);
}
