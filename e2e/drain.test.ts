import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { reasonOf } from "@3l1/kit/rpc/failure.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { startPlatform } from "../dev/own-platform.ts";
import { register } from "./client.ts";
import { startOrderStandIn } from "./order-stand-in.ts";
import { shared, startSecondGateway } from "./second-gateway.ts";

test("SIGTERM under load cuts no answer whose request was read, and the platform exits with 0", async () => {
  const platform = await startPlatform();
  const ann = await register(platform.gatewayUrl);
  const tally: Tally = { answered: 0, refused: 0, unread: [], wrong: [] };
  const agents = Array.from({ length: 20 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const load = agents.map((agent) => askUntilRefused(platform.gatewayUrl, agent, ann.token, tally));
  await waitFor("the load to run", () => tally.answered > 200);
  const before = tally.answered;
  assert.equal(await platform.stop(), 0);
  await Promise.all(load);
  for (const agent of agents) agent.destroy();
  assert.deepEqual(tally.wrong, []);
  // A connection that the kernel held when the port closed is reset: nobody has read from it.
  for (const id of tally.unread)
    assert.ok(!platform.output().includes(id), `${id} was read and cut`);
  assert.equal(tally.refused, agents.length);
  assert.ok(tally.answered > before, "it went on serving while it drained");
});

test("a stream in flight is told to come back, and finds another process", async () => {
  await using scene = new AsyncDisposableStack();
  const platform = await startPlatform(shared);
  scene.defer(async () => void (await platform.stop()));
  const service = await startOrderStandIn({
    async *watchOrders(_request, { signal }) {
      yield { eventId: "first" };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  });
  scene.defer(service.stop);
  const gateway = await startSecondGateway(platform, { ORDER_SERVICE_URL: service.url });
  scene.defer(gateway.stop);
  const { token } = await register(platform.gatewayUrl);
  const transport = createConnectTransport({ baseUrl: gateway.url, httpVersion: "1.1" });
  const orders = createClient(OrderService, transport);

  const seen: string[] = [];
  const headers = { authorization: `Bearer ${token}` };
  const end = await (async () => {
    for await (const { eventId } of orders.watchOrders({}, { headers })) {
      seen.push(eventId);
      process.kill(gateway.pid, "SIGTERM");
    }
  })().catch(ConnectError.from);
  assert.deepEqual(seen, ["first"]);
  assert.ok(end instanceof ConnectError);
  assert.deepEqual([end.code, reasonOf(end)], [Code.Unavailable, Reason.DRAINING]);
  assert.equal(await gateway.exited, 0);
});

interface Tally {
  answered: number;
  refused: number;
  readonly unread: string[];
  readonly wrong: string[];
}

async function askUntilRefused(
  url: string,
  agent: Agent,
  token: string | undefined,
  tally: Tally,
): Promise<void> {
  for (;;) {
    const id = randomUUID();
    const outcome = await ask(url, agent, { authorization: `Bearer ${token}`, "x-request-id": id });
    if (outcome === "200") tally.answered++;
    else if (outcome === "ECONNRESET") tally.unread.push(id);
    else if (outcome !== "ECONNREFUSED") tally.wrong.push(outcome);
    else {
      tally.refused++;
      return;
    }
  }
}

/** The status of a complete answer, or why there is none. */
function ask(url: string, agent: Agent, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(`${url}/api/users/me`, { agent, headers }, (response) => {
      const half = () => resolve("half an answer");
      response.on("error", half).on("aborted", half);
      response.resume().on("end", () => resolve(`${response.statusCode}`));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)).end();
  });
}
