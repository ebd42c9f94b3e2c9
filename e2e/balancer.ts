import { Agent } from "node:http";
import type { Instance } from "./fleet-instance.ts";
import { type Ask, ask, type Sample } from "./stress/ask.ts";

/** Once a second would do on a machine with nothing else to do: a gateway gives 1.1 s. */
const checkEveryMs = 300;

/** A request, wherever it goes. */
export type BalancedRequest = Omit<Ask, "url"> & { readonly path: string };

/**
 * What stands in front of several gateways: asks each whether it is ready, keeps connections open, and
 * sends requests to the ready ones in turn. It sends nothing twice, so whatever a gateway does
 * wrong shows.
 */
export interface Balancer extends Disposable {
  send(request: BalancedRequest): Promise<Sample>;
}

export function startBalancer(gateways: readonly Instance[]): Balancer {
  const backends = gateways.map((gateway) => {
    return { gateway, agent: new Agent({ keepAlive: true }), isReady: true };
  });
  let turn = 0;
  const check = async () => {
    const answers = backends.map(async (backend) => {
      backend.isReady = backend.gateway.pid !== null && (await backend.gateway.isReady());
    });
    await Promise.all(answers);
  };
  const timer = setInterval(() => void check(), checkEveryMs);
  return {
    send({ path, ...request }) {
      const ready = backends.filter(({ isReady }) => isReady);
      const [first] = backends;
      const backend = ready[turn++ % ready.length] ?? first;
      if (backend === undefined) throw new Error("no gateway to balance");
      return ask({ ...request, url: backend.gateway.url + path }, backend.agent);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      for (const { agent } of backends) agent.destroy();
    },
  };
}
