import { createServer, type Server } from "node:net";

/** Blocks of ports below the range from which systems hand out ports to outgoing connections. */
const first = 20_000;
const blockSize = 10;
const blocks = 1_000;

/** Some ports that nobody else takes while the lock is held. */
export interface ClaimedPorts {
  /** Nine ports in a row. */
  readonly ports: readonly number[];
  release(): void;
}

/**
 * Claims a block of ports for one platform. Tests run in several processes at once: whoever listens
 * on a block's first port has the whole block, so nobody has to guess what is free.
 */
export async function claimPorts(): Promise<ClaimedPorts> {
  const start = Math.floor(Math.random() * blocks);
  for (let step = 0; step < blocks; step++) {
    const base = first + ((start + step) % blocks) * blockSize;
    const lock = await tryListen(base);
    if (lock === undefined) continue;
    const ports = Array.from({ length: blockSize - 1 }, (_, index) => base + 1 + index);
    if (await allFree(ports)) return { ports, release: () => void lock.close() };
    lock.close();
  }
  throw new Error("no free ports");
}

async function allFree(ports: readonly number[]): Promise<boolean> {
  const servers = await Promise.all(ports.map(tryListen));
  await Promise.all(servers.map((server) => server && closed(server)));
  return servers.every((server) => server !== undefined);
}

function tryListen(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server.unref()));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
