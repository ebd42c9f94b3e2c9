import { type ChildProcess, fork } from "node:child_process";
import { type Argon2Parameters, hashingIdleMs, maxHashesAtOnce } from "./limits.ts";

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
   * @throws when the process dies; another one takes its place
   */
  hash(password: string, parameters: Argon2Parameters): Promise<string>;
  /**
   * Finds out whether a password has a hash, of argon2 or of bcrypt.
   *
   * @throws when the hash is of no kind that is known, or as {@link hash} does
   */
  matches(password: string, hash: string): Promise<boolean>;
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
  idleMs: number = hashingIdleMs,
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
      if (child !== started) return;
      child = undefined;
      for (const { reject } of waiting.values())
        reject(new Error("the process that hashed a password has ended"));
      waiting.clear();
    };
    started.on("message", settle).once("exit", lose).once("error", lose);
    return started;
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
    idle = setTimeout(() => {
      const done = child;
      child = undefined;
      done?.disconnect();
    }, idleMs).unref();
  }

  async function ask(question: Question): Promise<string | boolean> {
    clearTimeout(idle);
    child ??= start();
    child.ref();
    child.channel?.ref();
    const id = ++lastId;
    const answer = Promise.withResolvers<string | boolean>();
    waiting.set(id, answer);
    // One that could not be told has ended, and says so.
    child.send({ id, ...question }, () => {});
    return await answer.promise;
  }

  return {
    hash: async (password, parameters) => String(await ask({ password, parameters })),
    matches: async (password, hash) => (await ask({ password, hash })) === true,
  };
}
