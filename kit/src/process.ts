import { collectDefaultMetrics, Gauge, Registry } from "@prometheus-io/client";
import { type AdminPage, createAdminServer } from "./admin-server.ts";
import { showBuild } from "./build-info.ts";
import { type Config, ConfigError, loadConfig, type Settings } from "./config.ts";
import { listen } from "./listen.ts";
import { createLogger, type Logger, type LogLevel } from "./logger.ts";
import { profilePages } from "./profile/profile-pages.ts";
import { createShutdown, type Shutdown } from "./shutdown.ts";
import { collectStartupGarbage } from "./startup-garbage.ts";
import { startTracing, type Tracing } from "./tracing/tracing.ts";

/** What a process is given to build itself with. */
export interface ProcessContext<S = Settings> {
  readonly config: Config<S>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly shutdown: Shutdown;
  /** Undefined: off. */
  readonly tracing?: Tracing | undefined;
  /** More pages for the admin port, by path. */
  readonly adminPages: Map<string, AdminPage>;
  /** What `/readyz` shows without failing for it, by name: open breakers, a lost store. */
  readonly details: Map<string, () => unknown>;
}

/** Settings that every process has. */
type CommonSettings = Record<keyof CommonConfig, Settings[string]>;
interface CommonConfig {
  readonly LOG_LEVEL: LogLevel;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT: string;
}

/** A process of the platform. */
export interface ProcessDefinition<S extends Settings> {
  /** Its name in logs, for example `user-service`. */
  readonly name: string;
  readonly settings: S;
  /** Problems between settings that are right each for itself. Asked only when all of them are. */
  check?(config: Config<S>): readonly string[];
  /** Where the admin port listens, and what sets it. */
  admin(config: Config<S>): { host: string; port: number; setting: string };
  /** Builds everything and listens. The process is ready when it resolves. */
  start(context: ProcessContext<S>): Promise<void>;
}

/**
 * Runs a process: settings, logger, metrics, admin port, then its own `start`, until a signal ends
 * it. Whatever goes wrong before it is ready is told in words, and the process exits with 1.
 */
export async function runProcess<S extends Settings & CommonSettings>(
  definition: ProcessDefinition<S>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { name } = definition;
  const config = configOrExit(definition, env);
  const { LOG_LEVEL: level, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = config as CommonConfig;
  const logger = createLogger(name, level);
  const registry = createRegistry(name);
  const shutdown = createShutdown(logger, (code) => process.exit(code));
  const adminPages = new Map<string, AdminPage>(profilePages(shutdown.signal));
  const details = new Map<string, () => unknown>();
  let started = false;
  const isReady = () => started && !shutdown.signal.aborted;
  showReadiness(registry, isReady);
  showBuild(registry);
  exitOnUnforeseen(logger);
  try {
    const { host, port, setting } = definition.admin(config);
    const admin = createAdminServer({ registry, isReady, details, pages: adminPages });
    await listen(admin, port, host, setting);
    shutdown.defer("admin port", () => admin.close());
    const tracing = await startTracing({ name, endpoint, logger });
    if (tracing !== undefined) shutdown.defer("traces", tracing.close);
    await definition.start({ config, logger, registry, shutdown, tracing, adminPages, details });
    await collectStartupGarbage();
    started = true;
    logger.info("ready");
  } catch (error) {
    if (shutdown.signal.aborted) return;
    logger.fatal({ err: error }, "could not start");
    process.exit(1);
  }
}

function configOrExit<S extends Settings>(
  { name, settings, check }: ProcessDefinition<S>,
  env: NodeJS.ProcessEnv,
): Config<S> {
  try {
    const config = loadConfig(settings, env);
    const problems = check?.(config) ?? [];
    if (problems.length > 0) throw new ConfigError(problems);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(1);
  }
}

function createRegistry(name: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service: name });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** So that Prometheus sees what `/readyz` says. */
function showReadiness(registry: Registry, isReady: () => boolean): void {
  new Gauge({
    name: "process_ready",
    help: "1 when the process takes requests: started, and not draining",
    registers: [registry],
    collect() {
      this.set(isReady() ? 1 : 0);
    },
  });
}

function exitOnUnforeseen(logger: Logger): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const)
    process.on(event, (error) => {
      logger.fatal({ err: error }, event);
      process.exit(1);
    });
}
