import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { startPlatform } from "../dev/own-platform.ts";
import { waitFor } from "../dev/wait-for.ts";
import { register } from "./client.ts";

test("SIGTERM under load cuts no answer whose request was read, and the platform exits with 0", async () => {
  const platform = await startPlatform();
  const ann = await register(platform.gatewayUrl);
  const tally = { answered: 0, refused: 0, cut: [] as string[] };
  const agents = Array.from({ length: 20 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const load = agents.map((agent) =>
    askUntilRefused(platform.gatewayUrl, agent, ann.token ?? "", tally),
  );
  await waitFor("the load to run", () => tally.answered > 200);
  const before = tally.answered;
  assert.equal(await platform.stop(), 0);
  await Promise.all(load);
  for (const agent of agents) agent.destroy();
  assert.deepEqual(tally.cut, []);
  assert.equal(tally.refused, agents.length);
  assert.ok(tally.answered > before, "it went on serving while it drained");
});

interface Tally {
  answered: number;
  refused: number;
  cut: string[];
}

async function askUntilRefused(
  url: string,
  agent: Agent,
  token: string,
  tally: Tally,
): Promise<void> {
  for (;;) {
    const outcome = await ask(url, agent, token);
    if (outcome === "ECONNREFUSED") {
      tally.refused++;
      return;
    }
    if (outcome === "200") tally.answered++;
    else {
      tally.cut.push(outcome);
      return;
    }
  }
}

/** The status of a complete answer, or why there is none. */
function ask(url: string, agent: Agent, token: string): Promise<string> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request(`${url}/api/users/me`, { agent, headers }, (response) => {
      response
        .resume()
        .on("end", () => resolve(response.complete ? `${response.statusCode}` : "half an answer"));
      response.on("error", () => resolve("half an answer"));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)).end();
  });
}
