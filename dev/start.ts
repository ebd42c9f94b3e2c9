// What `npm start` does: PostgreSQL and Redis, then the three services, then demo data. Ctrl-C stops all.

import { once } from "node:events";
import { join } from "node:path";
import { prepareConsole, watchConsole } from "./console.ts";
import { isSet, readSetting, withDefaults } from "./environment.ts";
import { openPlatform, type Platform } from "./platform.ts";
import { removePlatformFile, writePlatformFile } from "./platform-file.ts";
import { checkPorts, freePorts } from "./ports.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { type RunningRedis, startRedis } from "./redis.ts";
import { loadSecrets, type Secrets } from "./secrets.ts";
import { describeService, root, startService } from "./service.ts";
import { showServiceLogs } from "./service-logs.ts";
import {
  addressesOf,
  type Environment,
  readSettings,
  type ServiceSettings,
  type Settings,
  urlOf,
} from "./settings.ts";
import { shortPath } from "./short-path.ts";
import { StartError } from "./start-error.ts";
import { stopRequests } from "./stop-requests.ts";
import { createTerminal } from "./terminal.ts";
import { together } from "./together.ts";
import { watchSources } from "./watch.ts";
import { defaultAdminEmail, welcome } from "./welcome.ts";

const startedAt = performance.now();
const terminal = createTerminal(process.stdout, () => performance.now());
const report = (line: string) => terminal.print(`  ${line}`);
const logs = showServiceLogs(terminal, process.stdout);
const { stop, hurry } = stopRequests(process);
/** Ends what is still starting, once it is to no avail. */
const giveUp = new AbortController();
const signal = AbortSignal.any([stop, giveUp.signal]);

process.exit(await main());

async function main(): Promise<number> {
  try {
    const settings = readSettings(process.env, process.argv.slice(2), root);
    const platform = await openPlatform(settings.platformDir, report);
    hurry.addEventListener("abort", () => platform.hurry());
    try {
      await run(platform, settings);
    } finally {
      await shutDown(platform, settings);
    }
  } catch (error) {
    if (stop.aborted) return 0;
    const text = error instanceof StartError ? error.message : (error as Error).stack;
    process.stderr.write(`\n${terminal.paint("red", "3L1 could not start:")} ${text}\n`);
    return 1;
  }
  return 0;
}

/** Starts everything, and returns when asked to stop. */
async function run(platform: Platform, settings: Settings): Promise<void> {
  await checkPorts(addressesOf(settings));
  terminal.print("\n  3L1: PostgreSQL, Redis and three services\n");
  const secrets = loadSecrets(settings.platformDir);
  const [stores] = await together(
    giveUp,
    startStores(platform, settings),
    prepareConsole(root, { terminal, report, signal }),
  );
  const env = environment(settings, secrets, stores);

  const start = (service: ServiceSettings) =>
    terminal.step(service.name, () =>
      startService(service, { env, platform, settings, logs, signal }),
    );
  const [gateway, userService, orderService] = await together(
    giveUp,
    start(settings.gateway),
    start(settings.userService),
    start(settings.orderService),
  );
  platform.follow(() =>
    writePlatformFile(settings.platformDir, {
      gateway: describeService(settings.gateway, gateway),
      userService: describeService(settings.userService, userService),
      orderService: describeService(settings.orderService, orderService),
      ...describeStores(env, stores),
    }),
  );
  await welcome({ settings, secrets, env, terminal, startedAt, stop });
  logs.ready();

  const watched = settings.watch ? [gateway, userService, orderService] : [];
  const watchers = [watchSources(root, watched, report)];
  if (settings.watch) watchers.push(watchConsole(root, report));
  if (!stop.aborted) await once(stop, "abort");
  for (const watcher of watchers) watcher.close();
}

interface Stores {
  readonly postgres: Postgres | undefined;
  readonly redis: RunningRedis | undefined;
}

/** PostgreSQL and Redis, side by side; neither where a setting names one that runs elsewhere. */
async function startStores({ manage }: Platform, { platformDir }: Settings): Promise<Stores> {
  const [postgresPort = 0, redisPort = 0] = await freePorts(2);
  const options = (name: string, port: number) => {
    return { folder: join(platformDir, name), port, manage, signal, report };
  };
  const ownDatabases = ["USER_DATABASE_URL", "ORDER_DATABASE_URL"];
  const postgres = ownDatabases.every((name) => isSet(process.env, name))
    ? undefined
    : terminal.step("postgres", () => startPostgres(options("postgres", postgresPort)));
  const redis = isSet(process.env, "REDIS_URL")
    ? undefined
    : terminal.step("redis", () => startRedis(options("redis", redisPort)));
  const started = await together(giveUp, Promise.resolve(postgres), Promise.resolve(redis));
  return { postgres: started[0], redis: started[1] };
}

/** All settings: those that were given, and for the rest what fits this platform. */
function environment(settings: Settings, secrets: Secrets, { postgres, redis }: Stores) {
  const listeners = addressesOf(settings).flatMap(({ host, port, hostSetting, portSetting }) => [
    [hostSetting, host],
    [portSetting, String(port)],
  ]);
  return withDefaults(process.env, {
    ...Object.fromEntries(listeners),
    USER_SERVICE_URL: urlOf(settings.userService.public),
    ORDER_SERVICE_URL: urlOf(settings.orderService.public),
    USER_DATABASE_URL: postgres?.userDatabaseUrl,
    ORDER_DATABASE_URL: postgres?.orderDatabaseUrl,
    REDIS_URL: redis?.url,
    SECRET_KEYS: secrets.secretKeys,
    ADMIN_EMAIL: defaultAdminEmail,
    ADMIN_PASSWORD: secrets.adminPassword,
    // http://127.0.0.1: a browser would not send a Secure cookie back.
    COOKIE_SECURE: "false",
    // What Node.js has compiled once: services start a third faster.
    NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node"),
    DEMO_EMAIL: "demo@example.com",
    DEMO_PASSWORD: secrets.demoPassword,
  });
}

function describeStores(env: Environment, { postgres, redis }: Stores) {
  const elsewhere = (name: string) => ({ pid: null, url: readSetting(env, name) ?? "" });
  const here = ({ process, url }: Postgres | RunningRedis) => ({ pid: process.lastPid, url });
  return {
    postgres: postgres ? here(postgres) : elsewhere("USER_DATABASE_URL"),
    redis: redis ? here(redis) : elsewhere("REDIS_URL"),
  };
}

async function shutDown(platform: Platform, { platformDir }: Settings): Promise<void> {
  giveUp.abort();
  removePlatformFile(platformDir);
  if (stop.aborted)
    terminal.print("\n  stopping: what is under way may end; Ctrl-C again to hurry");
  await platform.stop();
  logs.close();
  if (stop.aborted) terminal.print(`  stopped; the data stays in ${shortPath(platformDir)}`);
}
