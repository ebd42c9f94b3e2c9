import { type ChildProcess, fork } from "node:child_process";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { Code } from "@connectrpc/connect";
import {
  type Argon2Parameters,
  hashDeadlineMs,
  hashingIdleMs,
  hashingRetryAfterMs,
  maxHashesAtOnce,
} from "./limits.ts";

type Question =
  | { readonly password: string; readonly parameters: Argon2Parameters }
  | { readonly password: string; readonly hash: string };

/** What the process is asked: to make a hash, or to compare with one. */
export type Task = Question & { readonly id: number };

/** The hash, or whether it is the password's; or that there is neither, without a secret in it. */
export type Answer = { readonly id: number } & (
  | { readonly value: string | boolean }
  | { readonly failure: string }
);

/**
 * A process that does nothing but hash passwords, at a lower priority than all else.
 *
 * The thread pool of the service is no place for it: there the hashes would hold up signature checks and
 * name look-ups, and have the same right to a core as the event loop that everybody else waits for.
 */
export interface HashingProcess {
  /**
   * Hashes a password with argon2id (RFC 9106). How many at a time is up to who calls.
   *
   * @throws ConnectError `unavailable`, REASON_PASSWORD_HASHING_BUSY when the process dies, or hangs and
   *   is killed; another one takes its place
   */
  hash(password: string, parameters: Argon2Parameters): Promise<string>;
  /**
   * Finds out whether a password has a hash, of argon2 or of bcrypt.
   *
   * @throws when the hash is of no kind that is known, or as {@link hash} does
   */
  matches(password: string, hash: string): Promise<boolean>;
  /** Ends the process at once. It has nothing to lose. */
  kill(): void;
}

/** When a process is given up. In milliseconds. */
export interface HashingPatience {
  /** Longest wait for a hash. */
  readonly deadlineMs: number;
  /** Longest wait for work. */
  readonly idleMs: number;
}

const hashingChild = new URL("./hashing-child.ts", import.meta.url);

/**
 * Starts a process when there is a password, and ends it when there has been none for a while. It
 * does not keep its parent from ending, and ends with it.
 *
 * @param script what the process runs
 */
export function createHashingProcess(
  script: URL = hashingChild,
  { deadlineMs, idleMs }: HashingPatience = { deadlineMs: hashDeadlineMs, idleMs: hashingIdleMs },
): HashingProcess {
  const waiting = new Map<number, PromiseWithResolvers<string | boolean>>();
  let child: ChildProcess | undefined;
  let lastId = 0;
  let idle: NodeJS.Timeout | undefined;

  function start(): ChildProcess {
    const started = fork(script, {
      execArgv: [],
      // Not the service's environment: it holds secrets, and nothing that is of use here.
      env: { UV_THREADPOOL_SIZE: String(maxHashesAtOnce) },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const lose = () => {
      if (child === started) abandon();
    };
    started.on("message", settle).once("exit", lose).on("error", lose);
    return started;
  }

  function abandon(): void {
    child = undefined;
    for (const { reject } of waiting.values()) reject(lost());
    waiting.clear();
  }

  function settle(answer: Answer): void {
    const { resolve, reject } = waiting.get(answer.id) ?? {};
    waiting.delete(answer.id);
    if ("failure" in answer) reject?.(new Error(answer.failure));
    else resolve?.(answer.value);
    if (waiting.size === 0) rest();
  }

  /** From here on it neither keeps us from ending, nor stays for long. */
  function rest(): void {
    child?.unref();
    child?.channel?.unref();
    clearTimeout(idle);
    idle = setTimeout(kill, idleMs).unref();
  }

  /** Not by a message or a signal that it would have to hear: it may be the one that hangs. */
  function kill(): void {
    child?.kill("SIGKILL");
    abandon();
  }

  async function ask(question: Question): Promise<string | boolean> {
    clearTimeout(idle);
    child ??= start();
    const asked = child;
    asked.ref();
    asked.channel?.ref();
    const id = ++lastId;
    const answer = Promise.withResolvers<string | boolean>();
    waiting.set(id, answer);
    const deadline = setTimeout(() => asked.kill("SIGKILL"), deadlineMs);
    // One that could not be told has ended, and says so.
    asked.send({ id, ...question }, () => {});
    return await answer.promise.finally(() => clearTimeout(deadline));
  }

  return {
    hash: async (password, parameters) => String(await ask({ password, parameters })),
    matches: async (password, hash) => (await ask({ password, hash })) === true,
    kill,
  };
}

function lost() {
  const message = "the password could not be checked, try again";
  return failure(Code.Unavailable, message, Reason.PASSWORD_HASHING_BUSY, hashingRetryAfterMs);
}
