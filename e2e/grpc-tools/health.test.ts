import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@3l1/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection as ReflectionV1 } from "@3l1/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ReflectionV1Alpha } from "@3l1/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";

const services = {
  userService: ["user.v1.UserService", "user.v1.SessionService"],
  orderService: ["order.v1.OrderService", "order.v1.InternalOrderService"],
} as const;

let platform: Platform;
before(async () => {
  platform = await startPlatform();
});
after(() => platform.stop());

async function transportTo(process: keyof typeof services) {
  const { url } = (await platform.now())[process];
  return createGrpcTransport({ baseUrl: url });
}

for (const process of ["userService", "orderService"] as const) {
  test(`${process}: each of its services can be asked for its health, by name`, async () => {
    const health = createClient(Health, await transportTo(process));
    for (const service of ["", ...services[process]])
      assert.equal((await health.check({ service })).status, Status.SERVING, service);
    const known = Object.keys((await health.list({})).statuses).sort();
    assert.deepEqual(known, ["", ...services[process]].sort());
    const unknown = await health.check({ service: "no.Such" }).catch(ConnectError.from);
    assert.ok(unknown instanceof ConnectError && unknown.code === Code.NotFound);
    for await (const { status } of health.watch({ service: "no.Such" })) {
      assert.equal(status, Status.SERVICE_UNKNOWN);
      break;
    }
  });

  test(`${process}: reflection tells its services and their files, v1 and v1alpha`, async () => {
    const transport = await transportTo(process);
    const [symbol] = services[process];
    async function* questions() {
      yield { messageRequest: { case: "listServices" as const, value: "" } };
      yield { messageRequest: { case: "fileContainingSymbol" as const, value: symbol } };
    }
    const v1 = createClient(ReflectionV1, transport);
    const v1Alpha = createClient(ReflectionV1Alpha, transport);
    for (const answers of [
      await Array.fromAsync(v1.serverReflectionInfo(questions())),
      await Array.fromAsync(v1Alpha.serverReflectionInfo(questions())),
    ]) {
      const [list, file] = answers.map(({ messageResponse }) => messageResponse);
      assert.ok(list?.case === "listServicesResponse");
      const names = list.value.service.map(({ name }) => name);
      for (const service of services[process]) assert.ok(names.includes(service), service);
      assert.equal(file?.case, "fileDescriptorResponse");
    }
  });

  test(`${process}: whoever watches hears NOT_SERVING before it goes`, async () => {
    const health = createClient(Health, await transportTo(process));
    const [service] = services[process];
    const heard: Status[] = [];
    const watch = async (name: string) => {
      for await (const { status } of health.watch({ service: name })) {
        heard.push(status);
        if (heard.length === 2) globalThis.process.kill((await platform.now())[process].pid);
      }
    };
    // The stream itself ends with an error: it is cut off at the end of the process.
    await Promise.allSettled([watch(""), watch(service)]);
    assert.deepEqual(heard, [
      Status.SERVING,
      Status.SERVING,
      Status.NOT_SERVING,
      Status.NOT_SERVING,
    ]);
  });
}
