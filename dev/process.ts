import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import type { Role } from "./leftovers.ts";
import { StartError } from "./start-error.ts";
import { type WaitOptions, waitUntil } from "./wait.ts";

/** A service that dies is started again after this. */
const restartAfterMs = 1_000;

export interface ProcessOptions {
  readonly name: string;
  readonly role: Role;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  /** A file for its output, emptied with the first start. Default: it writes where we do. */
  readonly logFile?: string;
  /** Whether its log is shown as it grows. Default: its last lines are told when it dies too early. */
  readonly logIsShown?: boolean;
  /** What it reads from standard input, so that secrets stay out of its arguments. Default: nothing. */
  readonly input?: string;
  /** Whom it runs as. Default: as we do. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly stopSignal: NodeJS.Signals;
  /** How long it may take to stop before it is killed. */
  readonly killAfterMs: number;
  /** What ends it at once and still leaves its data whole. Default: SIGKILL. */
  readonly hurrySignal?: NodeJS.Signals;
  /** Whether to start it again after a death, given how long it lived. Default: always. */
  readonly restartsAfter?: (livedMs: number) => boolean;
}

/** What a process tells whoever started it. */
export interface ProcessEvents {
  /** It has another pid, or none. */
  changed(): void;
  report(line: string): void;
}

/** A process that we keep running until we stop it. */
export interface ManagedProcess {
  readonly name: string;
  readonly role: Role;
  /** `null` while it does not run. */
  readonly pid: number | null;
  /** The same, and while it does not run that of its last life. */
  readonly lastPid: number | null;
  /**
   * Starts it and waits until it is ready. From then on it is started again whenever it dies.
   *
   * @throws {StartError} when it dies before, or takes too long.
   */
  start(isReady: () => Promise<boolean>, wait: Omit<WaitOptions, "what">): Promise<void>;
  /** Stops it, gently, and starts it again. */
  restart(killAfterMs: number): Promise<void>;
  /** Stops it for good. */
  stop(): Promise<void>;
  /** For who has no time: ends it at once. */
  hurry(): void;
}

export function manageProcess(options: ProcessOptions, events: ProcessEvents): ManagedProcess {
  const { name } = options;
  let child: ChildProcess | undefined;
  let lastPid: number | null = null;
  let ended: Promise<string> = Promise.resolve("");
  let timer: NodeJS.Timeout | undefined;
  let keepAlive = false;
  let stopped = false;
  let hurried = false;

  function run(): void {
    if (stopped) return;
    const bornAt = performance.now();
    const running = spawnFrom(options);
    child = running;
    lastPid = running.pid ?? lastPid;
    running.stdin?.on("error", () => {}).end(options.input);
    ended = new Promise((done) => {
      running.once("error", (error) => done(`cannot be started: ${error.message}`));
      running.once("exit", (code, signal) => done(`ended with ${signal ?? `exit code ${code}`}`));
    });
    void ended.then((how) => onEnd(how, performance.now() - bornAt));
    events.changed();
  }

  function onEnd(how: string, livedMs: number): void {
    child = undefined;
    events.changed();
    if (!keepAlive) return;
    const again = options.restartsAfter?.(livedMs) ?? true;
    const next = again ? `starting it again in ${restartAfterMs / 1000} s` : "waiting for a change";
    events.report(`${name} ${how}; ${next}`);
    if (again) timer = setTimeout(run, restartAfterMs);
  }

  async function end(killAfterMs: number): Promise<void> {
    keepAlive = false;
    clearTimeout(timer);
    if (child === undefined) return;
    child.kill(hurried ? (options.hurrySignal ?? "SIGKILL") : options.stopSignal);
    const killer = setTimeout(() => {
      events.report(`${name} did not stop within ${killAfterMs / 1000} s: killed`);
      child?.kill("SIGKILL");
    }, killAfterMs);
    await ended;
    clearTimeout(killer);
  }

  return {
    name,
    role: options.role,
    get pid() {
      return child?.pid ?? null;
    },
    get lastPid() {
      return lastPid;
    },
    async start(isReady, wait) {
      if (options.logFile) writeFileSync(options.logFile, "", { mode: 0o600 });
      run();
      const givenUp = new AbortController();
      const death = ended.then((how) => {
        throw new StartError(`${name} ${how} before it was ready${lastWords(options)}`);
      });
      const signal = AbortSignal.any([wait.signal, givenUp.signal]);
      await Promise.race([death, waitUntil(isReady, { ...wait, what: name, signal })]).finally(() =>
        givenUp.abort(),
      );
      keepAlive = true;
    },
    async restart(killAfterMs) {
      await end(killAfterMs);
      keepAlive = true;
      run();
    },
    stop() {
      stopped = true;
      return end(options.killAfterMs);
    },
    hurry() {
      hurried = true;
      keepAlive = false;
      child?.kill(options.hurrySignal ?? "SIGKILL");
    },
  };
}

/** In a process group of its own: a Ctrl-C at the terminal is for us, who stop things in order. */
function spawnFrom({ command, args, env, user, input, logFile }: ProcessOptions): ChildProcess {
  const stdin = input === undefined ? "ignore" : "pipe";
  const output = logFile === undefined ? "inherit" : openSync(logFile, "a", 0o600);
  try {
    return spawn(command, args, { env, stdio: [stdin, output, output], detached: true, ...user });
  } finally {
    if (output !== "inherit") closeSync(output);
  }
}

function lastWords({ logFile, logIsShown }: ProcessOptions): string {
  if (logFile === undefined || logIsShown) return "";
  return `:\n${readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-10).join("\n")}`;
}
