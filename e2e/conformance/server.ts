// The server under test: started by the conformance runner, which talks to it through stdin and stdout.
import { setTimeout as sleep } from "node:timers/promises";
import { createGrpcServer } from "@3l1/kit/grpc/server.ts";
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "../../.local/conformance/gen/connectrpc/conformance/v1/server_compat_pb.ts";
import {
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  ConformanceService,
  IdempotentUnaryRequestSchema,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "../../.local/conformance/gen/connectrpc/conformance/v1/service_pb.ts";
import { frameMessage, readMessages } from "./framing.ts";
import { addHeaders, fromHeaders } from "./headers.ts";

function requestInfo<D extends DescMessage>(
  context: HandlerContext,
  desc: D,
  message: MessageShape<D>,
): ConformancePayload_RequestInfo {
  const timeoutMs = context.timeoutMs();
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: fromHeaders(context.requestHeader),
    ...(timeoutMs !== undefined && { timeoutMs: BigInt(Math.round(timeoutMs)) }),
    requests: [anyPack(desc, message)],
    connectGetInfo: { queryParams: queryParams(context) },
  });
}

function queryParams({ requestMethod, url }: HandlerContext) {
  if (requestMethod !== "GET") return [];
  return [...new URL(url).searchParams].map(([name, value]) => ({ name, value: [value] }));
}

async function answer(
  definition: UnaryResponseDefinition | undefined,
  info: ConformancePayload_RequestInfo,
  context: HandlerContext,
) {
  if (definition === undefined) return { payload: { requestInfo: info } };
  addHeaders(context.responseHeader, definition.responseHeaders);
  addHeaders(context.responseTrailer, definition.responseTrailers);
  await sleep(definition.responseDelayMs);
  const { response } = definition;
  if (response.case !== "error") {
    return { payload: { requestInfo: info, ...(response.case && { data: response.value }) } };
  }
  const { code, message, details } = response.value;
  const error = new ConnectError(message ?? "", code as number as Code);
  error.details = [...details, anyPack(ConformancePayload_RequestInfoSchema, info)].map((any) => ({
    type: any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1),
    value: any.value,
  }));
  throw error;
}

for await (const request of readMessages(process.stdin, ServerCompatRequestSchema)) {
  const server = createGrpcServer({
    ...(request.messageReceiveLimit > 0 && { readMaxBytes: request.messageReceiveLimit }),
    routes: (router) =>
      router.service(ConformanceService, {
        unary: (message, context) =>
          answer(
            message.responseDefinition,
            requestInfo(context, UnaryRequestSchema, message),
            context,
          ),
        idempotentUnary: (message, context) =>
          answer(
            message.responseDefinition,
            requestInfo(context, IdempotentUnaryRequestSchema, message),
            context,
          ),
      }),
  });
  const host = "127.0.0.1";
  const { port } = await server.listen(0, host);
  const response = create(ServerCompatResponseSchema, { host, port });
  process.stdout.write(frameMessage(ServerCompatResponseSchema, response));
}
