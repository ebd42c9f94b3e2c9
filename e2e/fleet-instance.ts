import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { environmentFor } from "../dev/environment.ts";
import type { Platform } from "../dev/platform.ts";
import { claimPorts } from "../dev/port-block.ts";
import type { ManagedProcess } from "../dev/process.ts";
import type { Environment, ServiceName } from "../dev/settings.ts";

const root = join(import.meta.dirname, "..");
/** A process gives its drain 30 s. */
const killAfterMs = 35_000;
const readyWithinMs = 120_000;

/** A process that a story may kill. It is started again a second later, on the same address. */
export interface Killable {
  readonly name: string;
  /** `null` while it does not run. */
  readonly pid: number | null;
  /** Does nothing while it does not run. */
  kill(): void;
}

/** One of several processes that do the same. */
export interface Instance extends Killable {
  readonly url: string;
  readonly adminUrl: string;
  isReady(): Promise<boolean>;
  /** Has it drain and end, and another one start in its place. Resolves when that one is ready. */
  replace(): Promise<void>;
  /** Ends it for good, as SIGTERM does. */
  stop(): Promise<void>;
  /** All that it has logged, over all its lives. */
  log(): Promise<string>;
}

/** Where an instance listens: each has ports of its own and, where the system has more than one, a loopback address. */
export interface InstanceAddress {
  readonly service: ServiceName;
  readonly name: string;
  readonly url: string;
  readonly adminUrl: string;
  readonly settings: Readonly<Record<string, string>>;
  release(): void;
}

const prefixes = {
  gateway: "GATEWAY",
  "user-service": "USER_SERVICE",
  "order-service": "ORDER_SERVICE",
} as const;

/** Claims an address. @param index from 0 among the instances of a service */
export async function claimAddress(service: ServiceName, index: number): Promise<InstanceAddress> {
  const { ports, release } = await claimPorts();
  const [port, adminPort] = ports;
  const host = process.platform === "linux" ? `127.0.0.${index + 1}` : "127.0.0.1";
  const prefix = prefixes[service];
  return {
    service,
    name: `${service}-${index + 1}`,
    url: `http://${host}:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    settings: {
      [`${prefix}_HOST`]: host,
      [`${prefix}_PORT`]: String(port),
      [`${prefix}_ADMIN_PORT`]: String(adminPort),
    },
    release,
  };
}

/** Starts an instance and waits until it is ready. */
export async function startInstance(
  address: InstanceAddress,
  { manage }: Platform,
  folder: string,
  env: Environment,
): Promise<Instance> {
  const { service, name, url, adminUrl, settings } = address;
  const logFile = join(folder, `${name}.log`);
  const managed = manage({
    name,
    role: "service",
    command: process.execPath,
    args: [join(root, service, "src/main.ts")],
    env: environmentFor(service, { ...env, ...settings }),
    logFile,
    stopSignal: "SIGTERM",
    killAfterMs,
  });
  const isReady = async () => {
    const signal = AbortSignal.timeout(2_000);
    const answer = await fetch(`${adminUrl}/readyz`, { signal }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200;
  };
  const signal = AbortSignal.timeout(readyWithinMs);
  await managed.start(isReady, { deadlineMs: readyWithinMs, signal });
  return Object.assign(killable(managed), {
    url,
    adminUrl,
    isReady,
    async replace() {
      await managed.restart(killAfterMs);
      await waitFor(`${name} to be ready again`, isReady, readyWithinMs);
    },
    stop: () => managed.stop(),
    log: () => readFile(logFile, "utf8"),
  });
}

/** What a story may do to a process that is kept running. */
export function killable(managed: ManagedProcess): Killable {
  return {
    name: managed.name,
    get pid() {
      return managed.pid;
    },
    kill() {
      if (managed.pid !== null) process.kill(managed.pid, "SIGKILL");
    },
  };
}
