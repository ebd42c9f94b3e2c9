import { createServer, type Server } from "node:net";
import type { Address } from "./settings.ts";
import { StartError } from "./start-error.ts";

/**
 * Where free ports are looked for: below the range from which systems hand out ports to outgoing
 * connections. There, a port that was free may be gone before a store listens on it, or while it restarts.
 */
const searched = { first: 10_000, count: 10_000 } as const;
const maxTries = 1_000;

/**
 * Different ports of the loopback interface that were free a moment ago.
 *
 * @throws {StartError} when hardly any is
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries === maxTries) throw new StartError("there are no free ports");
    const port = searched.first + Math.floor(Math.random() * searched.count);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, port, "127.0.0.1");
    await new Promise((closed) => server.close(closed));
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes sure that every address can be listened on, before anything is started.
 *
 * @throws {StartError} naming each port that cannot, and its setting.
 */
export async function checkPorts(addresses: readonly Address[]): Promise<void> {
  const problems: string[] = [];
  for (const users of Map.groupBy(addresses, ({ host, port }) => `${host}:${port}`).values()) {
    const [address] = users;
    const settings = users.map(({ portSetting }) => portSetting).join(", ");
    if (users.length > 1)
      problems.push(`port ${address?.port} is wanted more than once: ${settings}`);
    const problem = address && (await problemWith(address));
    if (problem) problems.push(problem);
  }
  if (problems.length > 0) throw new StartError(problems.join("\n"));
}

async function problemWith(address: Address): Promise<string | undefined> {
  const { host, port, hostSetting, portSetting } = address;
  const server = createServer();
  try {
    await listen(server, port, host);
    await new Promise((closed) => server.close(closed));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE")
      return `port ${port} is taken, perhaps by another platform: stop that, or set ${portSetting} to another port`;
    if (code === "EACCES") return `port ${port} is not ours to listen on (${portSetting}): ${code}`;
    return `cannot listen on ${host} (${hostSetting}): ${code}`;
  }
}

function listen(server: Server, port: number, host: string) {
  return new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen({ port, host, exclusive: true }, listening);
  });
}
