import { nextMessage, startChild } from "../child.ts";
import type { Scenario } from "../scenario.ts";
import type { LoadResult } from "./raw-client.ts";

/** Makes load, from a process of its own. */
export interface LoadGenerator {
  /**
   * Asks for so long or so often, whichever ends first.
   *
   * @throws when an answer is not 2xx
   */
  run(
    scenario: Scenario,
    until: { readonly durationMs: number; readonly maxRequests?: number },
  ): Promise<LoadResult>;
  stop(): void;
}

export async function startLoadGenerator(): Promise<LoadGenerator> {
  const { process: child } = await startChild<string>("load/process.ts");
  return {
    async run({ name, port, request, connections }, { durationMs, maxRequests = 1e9 }) {
      child.send({ port, request, connections, durationMs, maxRequests });
      const result = await nextMessage<LoadResult>(child);
      if (result.failures > 0)
        throw new Error(`${result.failures} answers of ${name} are like this:\n${result.failure}`);
      return result;
    },
    stop: () => child.disconnect(),
  };
}
