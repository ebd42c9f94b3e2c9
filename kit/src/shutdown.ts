import type { Logger } from "./logger.ts";

/** After this the process ends whatever is still under way. Kubernetes kills after 30 s by default. */
const deadlineMs = 30_000;

/** Ends a process in order: what was opened last closes first. */
export interface Shutdown {
  /** Aborted as soon as the process is told to end: nothing new should begin. */
  readonly signal: AbortSignal;
  /** Remembers how to close something. Closing starts with what was remembered last. */
  defer(name: string, close: () => unknown): void;
  /** Closes everything and exits: with 0 in order, with 1 past the deadline or after a failed close. */
  begin(reason: string): Promise<void>;
}

/** The only place where signals are handled: SIGTERM and SIGINT begin the shutdown. */
export function createShutdown(logger: Logger, exit: (code: number) => void): Shutdown {
  const controller = new AbortController();
  const steps: { name: string; close: () => unknown }[] = [];
  let begun: Promise<void> | undefined;

  async function run(reason: string): Promise<void> {
    logger.info({ reason }, "shutting down");
    controller.abort();
    const timer = setTimeout(() => {
      logger.error({ deadlineMs }, "shutdown took too long");
      exit(1);
    }, deadlineMs);
    const failed = await closeAll();
    clearTimeout(timer);
    logger.info("shut down");
    exit(failed ? 1 : 0);
  }

  async function closeAll(): Promise<boolean> {
    let failed = false;
    for (const { name, close } of steps.toReversed()) {
      try {
        await close();
      } catch (error) {
        failed = true;
        logger.error({ err: error, step: name }, "could not close");
      }
    }
    return failed;
  }

  const shutdown: Shutdown = {
    signal: controller.signal,
    defer: (name, close) => void steps.push({ name, close }),
    begin: (reason) => (begun ??= run(reason)),
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => void shutdown.begin(signal));
  return shutdown;
}
