import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type BalancedRequest, type Balancer, startBalancer } from "./balancer.ts";
import { items, password, register } from "./client.ts";
import type { Fleet } from "./fleet.ts";
import type { Instance } from "./fleet-instance.ts";
import { createChance } from "./random.ts";
import type { Sample } from "./stress/ask.ts";
import { statuses } from "./stress/load.ts";

/** Requests under way at a time. */
const clients = 8;
/** Of one client, between an answer and the next request. */
const pauseMs = 20;
/** Answered before, and after, a process is replaced. */
const quietRequests = 100;
/** What a machine with too much else to do answers, whether processes are replaced or not. */
const tooBusy = /"reason":"(password_hashing_busy|overloaded)"/;

/** Replaces every process of a fleet under load, and counts requests that did not end well: none may. */
export async function rollUnderLoad(
  t: TestContext,
  fleet: Fleet,
  replaceAll: (fleet: Fleet) => Promise<void>,
): Promise<void> {
  const [gateway] = fleet.gateways;
  const { token } = await register(gateway?.url ?? "");
  // Somebody else logs in: whoever has 20 sessions loses the oldest with the next one.
  const { email } = await register(gateway?.url ?? "");
  using balancer = startBalancer(fleet.gateways);
  const load = startMixedLoad(balancer, email, token);
  await load.answers(quietRequests);
  await replaceAll(fleet);
  await load.answers(quietRequests);
  const samples = await load.stop();
  t.diagnostic(JSON.stringify(statuses(samples)));
  const failed = samples.filter(({ status }) => status < 200 || status >= 300);
  assert.deepEqual(failed, []);
}

/** One of each service after the other; the services side by side, as a deployment does it. */
export async function replaceSideBySide(fleet: Fleet): Promise<void> {
  const { gateways, userServices, orderServices } = fleet;
  await Promise.all([gateways, userServices, orderServices].map(replaceInTurn));
}

export async function replaceInTurn(instances: readonly Instance[]): Promise<void> {
  for (const instance of instances) await instance.replace();
}

function startMixedLoad(balancer: Balancer, email: string, token: string | undefined) {
  const chance = createChance();
  const order = { items, currencyCode: "EUR" };
  const requests: readonly BalancedRequest[] = [
    { path: "/api/users/me", token },
    { path: "/api/users/sessions", token },
    { path: "/api/orders/list", token },
    { path: "/api/orders/add", method: "POST", token, body: order },
    { path: "/api/orders/add", method: "POST", token, body: order },
  ];
  const logIn = { path: "/api/users/log", method: "POST", body: { email, password } };
  const samples: Sample[] = [];
  let isOver = false;
  const sendOnce = async (request: BalancedRequest) => {
    const sample = await balancer.send(request);
    return !tooBusy.test(sample.problem ?? "") && sample;
  };
  const client = async () => {
    while (!isOver) {
      // Hashing takes most of a core if it is asked for more often.
      const request = chance.below(20) === 0 ? logIn : chance.pick(requests);
      samples.push(await waitFor("a turn", () => sendOnce(request)));
      await sleep(pauseMs);
    }
  };
  const running = Array.from({ length: clients }, client);
  return {
    async answers(count: number): Promise<void> {
      const until = samples.length + count;
      await waitFor("answers", () => samples.length >= until);
    },
    async stop(): Promise<readonly Sample[]> {
      isOver = true;
      await Promise.all(running);
      return samples;
    },
  };
}
