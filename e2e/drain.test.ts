import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { startPlatform } from "../dev/own-platform.ts";
import { waitFor } from "../dev/wait-for.ts";
import { register } from "./client.ts";

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
