// The client under test: does the calls that the conformance runner writes to stdin, says on stdout what came of them.
import { setTimeout as sleep } from "node:timers/promises";
import { createGrpcTransport } from "@3l1/kit/grpc/transport.ts";
import { create, type DescMethodUnary, type MessageInitShape } from "@bufbuild/protobuf";
import { AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import { ConnectError, type Transport } from "@connectrpc/connect";
import {
  type ClientCompatRequest,
  ClientCompatRequestSchema,
  ClientCompatResponseSchema,
  type ClientResponseResultSchema,
} from "../../.local/conformance/gen/connectrpc/conformance/v1/client_compat_pb.ts";
import type { Code } from "../../.local/conformance/gen/connectrpc/conformance/v1/config_pb.ts";
import {
  ConformanceService,
  type UnaryResponse,
} from "../../.local/conformance/gen/connectrpc/conformance/v1/service_pb.ts";
import { frameMessage, readMessages } from "./framing.ts";
import { addHeaders, fromHeaders } from "./headers.ts";

type Result = MessageInitShape<typeof ClientResponseResultSchema>;

function methodOf(request: ClientCompatRequest): DescMethodUnary {
  const method = ConformanceService.methods.find(({ name }) => name === request.method);
  if (method?.methodKind !== "unary") throw new Error(`not a unary method: ${request.method}`);
  return method as DescMethodUnary;
}

function resultOfError(reason: unknown): Result {
  const error = ConnectError.from(reason);
  const details = error.details.map((detail) => {
    if ("desc" in detail) throw new Error("a received detail is not decoded");
    return create(AnySchema, {
      typeUrl: `type.googleapis.com/${detail.type}`,
      value: detail.value,
    });
  });
  const headers = fromHeaders(error.metadata);
  return {
    responseHeaders: headers,
    responseTrailers: headers,
    error: { code: error.code as number as Code, message: error.rawMessage, details },
  };
}

async function call(transport: Transport, request: ClientCompatRequest): Promise<Result> {
  const method = methodOf(request);
  const [any] = request.requestMessages;
  const input = any && anyUnpack(any, method.input);
  if (!input) throw new Error("no request message");
  const controller = new AbortController();
  if (request.cancel?.cancelTiming.case === "afterCloseSendMs") {
    void sleep(request.cancel.cancelTiming.value).then(() => controller.abort());
  }
  try {
    const response = await transport.unary(
      method,
      controller.signal,
      request.timeoutMs,
      addHeaders(new Headers(), request.requestHeaders),
      input,
    );
    const { payload } = response.message as UnaryResponse;
    return {
      responseHeaders: fromHeaders(response.header),
      responseTrailers: fromHeaders(response.trailer),
      payloads: [payload ?? {}],
    };
  } catch (error) {
    return resultOfError(error);
  }
}

async function run(request: ClientCompatRequest): Promise<void> {
  const { host, port, messageReceiveLimit, testName } = request;
  await using transport = createGrpcTransport({
    baseUrls: [`http://${host}:${port}`],
    ...(messageReceiveLimit > 0 && { readMaxBytes: messageReceiveLimit }),
  });
  const result = await call(transport, request).then(
    (value) => ({ case: "response" as const, value }),
    (error) => ({ case: "error" as const, value: { message: String(error) } }),
  );
  const response = create(ClientCompatResponseSchema, { testName, result });
  process.stdout.write(frameMessage(ClientCompatResponseSchema, response));
}

const running: Promise<void>[] = [];
for await (const request of readMessages(process.stdin, ClientCompatRequestSchema)) {
  running.push(run(request));
}
await Promise.all(running);
