import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { refuseSecrets, refuseSecretsInLogs } from "./leaked-secrets.ts";
import { claimPorts } from "./port-block.ts";
import { copyReadyCluster } from "./ready-cluster.ts";

const root = join(import.meta.dirname, "..");

/** How platform.json shows a process. */
export interface RunningProcess {
  readonly pid: number;
  readonly url: string;
  readonly adminUrl: string;
}

/** platform.json. */
export interface PlatformFile {
  readonly gateway: RunningProcess;
  readonly userService: RunningProcess;
  readonly orderService: RunningProcess;
  readonly postgres: { readonly pid: number; readonly url: string };
  readonly redis: { readonly pid: number; readonly url: string };
}

/** A whole platform of its own: real processes, real stores, own ports, own data. */
export interface Platform {
  readonly gatewayUrl: string;
  /** Its `PLATFORM_DIR`. */
  readonly folder: string;
  /** What runs now; pids change when a process is started again. */
  now(): Promise<PlatformFile>;
  /** All that its processes have printed; of very much the end. */
  output(): string;
  /**
   * Ends it as Ctrl-C would, and brings the exit code. Its data goes too.
   *
   * @throws when a token, a session key or a password stands in what was logged
   */
  stop(): Promise<number | null>;
  /** The launcher, for tests that end it themselves. */
  readonly launcher: ChildProcess;
}

/** In characters. Of more than that the newest half stays: under load each request prints two lines. */
const maxOutputLength = 64 * 1024 * 1024;

export const adminEmail = "admin@example.com";
export const adminPassword = "correct horse battery staple";
/** Of everybody else in the stories. */
export const userPassword = "a long enough passphrase";

/**
 * Starts a platform and waits until it is ready.
 *
 * @param cluster the data that PostgreSQL begins with; `null`: none, as in a new clone. Default: what the test
 *   run has made for all
 */
export async function startPlatform(
  env: Readonly<Record<string, string>> = {},
  cluster: string | null = process.env.TEST_READY_CLUSTER ?? null,
): Promise<Platform> {
  const folder = await mkdtemp(join(tmpdir(), "3l1-e2e-"));
  if (env.USER_DATABASE_URL === undefined)
    await copyReadyCluster(cluster, join(folder, "postgres"));
  const claimed = await claimPorts();
  const launcher = spawn(process.execPath, [join(root, "dev/start.ts")], {
    env: { ...inherited(), ...settings(folder, claimed.ports), ...env },
    // Over the channel goes nothing: it closes when we die, and then the platform stops by itself.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  for (const stream of [launcher.stdout, launcher.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      if (output.length > maxOutputLength) output = output.slice(-maxOutputLength / 2);
      output += text;
    });
  const exited = new Promise<number | null>((resolve) => launcher.once("close", resolve));
  const file = join(folder, "platform.json");
  const now = async (): Promise<PlatformFile> => JSON.parse(await readFile(file, "utf8"));
  const stop = async () => {
    launcher.kill("SIGTERM");
    const code = await exited;
    claimed.release();
    try {
      const known = [adminPassword, userPassword, ...(env.SECRET_KEYS?.split(",") ?? [])];
      refuseSecrets("the output", output, known);
      await refuseSecretsInLogs(folder, known);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return code;
  };
  const ready = waitFor("the platform", () => now().catch(() => undefined), 120_000);
  const ended = exited.then((code) =>
    Promise.reject(new Error(`it ended with ${code}:\n${output}`)),
  );
  ended.catch(() => {});
  const { gateway } = await Promise.race([ready, ended]).catch(async (error) => {
    await stop();
    throw error;
  });
  return { gatewayUrl: gateway.url, folder, now, output: () => output, stop, launcher };
}

/** Of our own environment only what programs need to run: settings of the person who tests stay out. */
function inherited(): Record<string, string> {
  const names = ["PATH", "HOME", "LANG", "TMPDIR", "USER", "NODE_EXTRA_CA_CERTS"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
}

function settings(folder: string, ports: readonly number[]): Record<string, string> {
  const [gateway, gatewayAdmin, user, userAdmin, order, orderAdmin] = ports.map(String);
  const entries = {
    GATEWAY_PORT: gateway,
    GATEWAY_ADMIN_PORT: gatewayAdmin,
    USER_SERVICE_PORT: user,
    USER_SERVICE_ADMIN_PORT: userAdmin,
    ORDER_SERVICE_PORT: order,
    ORDER_SERVICE_ADMIN_PORT: orderAdmin,
  };
  return {
    ...(entries as Record<string, string>),
    PLATFORM_DIR: folder,
    PLATFORM_DEMO: "false",
    NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node"),
    ADMIN_EMAIL: adminEmail,
    ADMIN_PASSWORD: adminPassword,
    RATE_LIMIT_IP_PER_MINUTE: "0",
    RATE_LIMIT_USER_PER_MINUTE: "0",
    RATE_LIMIT_LOGIN_PER_MINUTE: "0",
  };
}
