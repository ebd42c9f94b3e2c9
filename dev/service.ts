import { join } from "node:path";
import { environmentFor } from "./environment.ts";
import type { Platform } from "./platform.ts";
import type { RunningService } from "./platform-file.ts";
import type { ManagedProcess } from "./process.ts";
import { serviceFlags } from "./service-flags.ts";
import { logFileOf, type ServiceLogs } from "./service-logs.ts";
import { type Environment, type ServiceSettings, type Settings, urlOf } from "./settings.ts";

/** Migrations run within this. */
const readyWithinMs = 60_000;
/** A process gives its drain 30 s. */
const killAfterMs = 35_000;
/** With --watch: what dies sooner than this has a mistake in it, and waits for the next change. */
const shortLifeMs = 5_000;

/** The folder of the repository. */
export const root = join(import.meta.dirname, "..");

/** What all services are started with. */
export interface StartOptions {
  readonly env: Environment;
  readonly platform: Platform;
  readonly settings: Settings;
  readonly logs: ServiceLogs;
  readonly signal: AbortSignal;
}

/** Starts a service and waits until its admin port says that it is ready. */
export async function startService(
  service: ServiceSettings,
  { env, platform, settings, logs, signal }: StartOptions,
): Promise<ManagedProcess> {
  const logFile = logFileOf(settings.platformDir, service.name);
  const managed = platform.manage({
    name: service.name,
    role: "service",
    command: process.execPath,
    args: [...serviceFlags, join(root, service.name, "src", "main.ts")],
    env: environmentFor(service.name, env),
    logFile,
    logIsShown: true,
    stopSignal: "SIGTERM",
    killAfterMs,
    restartsAfter: (livedMs) => !settings.watch || livedMs > shortLifeMs,
  });
  const isReady = () => answersReady(`${urlOf(service.admin)}/readyz`, signal);
  logs.show(logFile);
  await managed.start(isReady, { deadlineMs: readyWithinMs, signal });
  return managed;
}

/** A service as `platform.json` shows it. */
export function describeService(
  service: ServiceSettings,
  { lastPid }: ManagedProcess,
): RunningService {
  return { pid: lastPid, url: urlOf(service.public), adminUrl: urlOf(service.admin) };
}

async function answersReady(url: string, stop: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([stop, AbortSignal.timeout(2_000)]),
    });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
