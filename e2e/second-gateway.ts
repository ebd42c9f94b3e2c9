import { spawn } from "node:child_process";
import { join } from "node:path";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { refuseSecrets } from "../dev/leaked-secrets.ts";
import { adminPassword, type Platform, userPassword } from "../dev/own-platform.ts";
import { claimPorts } from "../dev/port-block.ts";
import { randomKey } from "../dev/secrets.ts";
import { serviceFlags } from "../dev/service-flags.ts";

/** Whatever else a busy machine does meanwhile. */
const startWithinMs = 120_000;
const root = join(import.meta.dirname, "..");

/** What a platform and the gateways beside it share: pass it to `startPlatform` as well. */
export const shared = { SECRET_KEYS: randomKey() };

/** A gateway beside that of a platform, on its stores and before its services. */
export interface SecondGateway extends AsyncDisposable {
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** All that it has printed. */
  output(): string;
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /**
   * Ends it at once; so does leaving its scope. How a gateway drains is another story.
   *
   * @throws when a token, a session key or a password stands in what was logged
   */
  stop(): Promise<void>;
}

/** Starts a gateway beside a platform that runs with {@link shared}, and waits until it is ready. */
export async function startSecondGateway(
  platform: Platform,
  env: Readonly<Record<string, string>> = {},
): Promise<SecondGateway> {
  const { ports, release } = await claimPorts();
  const [port, adminPort] = ports;
  const { redis, userService, orderService } = await platform.now();
  const child = spawn(process.execPath, [...serviceFlags, join(root, "gateway/src/main.ts")], {
    env: {
      ...shared,
      GATEWAY_PORT: String(port),
      GATEWAY_ADMIN_PORT: String(adminPort),
      REDIS_URL: redis.url,
      USER_SERVICE_URL: userService.url,
      ORDER_SERVICE_URL: orderService.url,
      COOKIE_SECURE: "false",
      RATE_LIMIT_IP_PER_MINUTE: "0",
      RATE_LIMIT_USER_PER_MINUTE: "0",
      RATE_LIMIT_LOGIN_PER_MINUTE: "0",
      NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  void exited.then(() => process.off("exit", kill));
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const stop = async () => {
    kill();
    await exited;
    release();
    const known = [adminPassword, userPassword, shared.SECRET_KEYS];
    refuseSecrets("the second gateway's output", output, known);
  };
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output}`);
    const answer = await fetch(`${adminUrl}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  };
  await waitFor("the second gateway", isReady, startWithinMs).catch(async (error) => {
    await stop();
    throw error;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    adminUrl,
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
