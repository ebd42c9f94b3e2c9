import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  type EchoRequest,
  EchoRequestSchema,
  type EchoResponse,
  EchoResponseSchema,
} from "./gen/parity/v1/parity_pb.ts";
import { echoPath } from "./raw-peer.ts";

const echoMethod: grpc.MethodDefinition<EchoRequest, EchoResponse> = {
  path: echoPath,
  requestStream: false,
  responseStream: false,
  requestSerialize: (message) => Buffer.from(toBinary(EchoRequestSchema, message)),
  requestDeserialize: (bytes) => fromBinary(EchoRequestSchema, bytes),
  responseSerialize: (message) => Buffer.from(toBinary(EchoResponseSchema, message)),
  responseDeserialize: (bytes) => fromBinary(EchoResponseSchema, bytes),
};

/** What grpc-js makes of a call. */
export interface GrpcJsAnswer {
  readonly error: grpc.ServiceError | null;
  readonly response: EchoResponse | undefined;
  readonly metadata: grpc.Metadata;
  readonly status: grpc.StatusObject;
}

/** A client of grpc-js. */
export function grpcJsClient(port: number) {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": 8 * 1024 * 1024,
  });
  return {
    echo: (
      message: MessageInitShape<typeof EchoRequestSchema>,
      metadata = new grpc.Metadata(),
      options: grpc.CallOptions = {},
      onCall: (call: grpc.ClientUnaryCall) => void = () => {},
    ) =>
      new Promise<GrpcJsAnswer>((resolve) => {
        const { path, requestSerialize, responseDeserialize } = echoMethod;
        let received = new grpc.Metadata();
        let result: Pick<GrpcJsAnswer, "error" | "response"> | undefined;
        let status: grpc.StatusObject | undefined;
        const settle = () => {
          if (result && status) resolve({ ...result, metadata: received, status });
        };
        const request = create(EchoRequestSchema, message);
        const call = client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadata,
          options,
          (error, response) => {
            result = { error, response };
            settle();
          },
        );
        call.on("metadata", (headers) => {
          received = headers;
        });
        call.on("status", (final) => {
          status = final;
          settle();
        });
        onCall(call);
      }),
    [Symbol.dispose]: () => client.close(),
  };
}

/** A server of grpc-js. */
export async function grpcJsServer(echo: grpc.handleUnaryCall<EchoRequest, EchoResponse>) {
  const server = new grpc.Server({ "grpc.max_receive_message_length": 8 * 1024 * 1024 });
  server.addService({ Echo: echoMethod }, { Echo: echo });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    [Symbol.dispose]: () => server.forceShutdown(),
  };
}
