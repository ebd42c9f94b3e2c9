import { Worker } from "node:worker_threads";
import { type Argon2Parameters, hashingThreadMemory } from "./limits.ts";

/** What a thread is asked: to make a hash, or to compare with one. */
export type Task =
  | { readonly password: string; readonly parameters: Argon2Parameters }
  | { readonly password: string; readonly hash: string };

/** The hash, or whether it is the password's; or why neither, without a secret in it. */
export type Answer = { readonly value: string | boolean } | { readonly failure: string };

/**
 * Threads that do nothing but hash passwords, at a lower priority than all else where the system allows it.
 *
 * The thread pool of Node.js is no place for it: there the hashes would hold up signature checks and
 * name look-ups, and have the same right to a core as the event loop that everybody else waits for.
 */
export interface HashingThreads {
  /**
   * Has an idle thread hash a password, or a new one: how many there are is up to who calls.
   *
   * @throws when the thread dies; another one takes its place
   */
  hash(password: string, parameters: Argon2Parameters): Promise<string>;
  /**
   * Has a thread find out whether a password has a hash, of argon2id or of bcrypt.
   *
   * @throws when the hash is of no kind that is known, or as {@link hash} does
   */
  matches(password: string, hash: string): Promise<boolean>;
}

const hashingThread = new URL("./hashing-thread.ts", import.meta.url);

/**
 * No thread is started before there is a password, and none keeps the process from ending.
 *
 * @param script what each thread runs
 */
export function createHashingThreads(script: URL = hashingThread): HashingThreads {
  const idle: Worker[] = [];

  function start(): Worker {
    const thread = new Worker(script, { resourceLimits: hashingThreadMemory, execArgv: [] });
    // Whoever waits for it hears of it, too; without a listener it would end the process.
    thread.on("error", () => {});
    thread.once("exit", () => {
      const index = idle.indexOf(thread);
      if (index >= 0) idle.splice(index, 1);
    });
    return thread;
  }

  async function run(task: Task): Promise<string | boolean> {
    const thread = idle.pop() ?? start();
    thread.ref();
    const answer = await ask(thread, task);
    thread.unref();
    idle.push(thread);
    if ("failure" in answer) throw new Error(answer.failure);
    return answer.value;
  }

  return {
    hash: async (password, parameters) => String(await run({ password, parameters })),
    matches: async (password, hash) => (await run({ password, hash })) === true,
  };
}

function ask(thread: Worker, task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      thread.off("message", answered);
      thread.off("error", failed);
      thread.off("exit", ended);
    };
    const answered = (answer: Answer) => {
      stop();
      resolve(answer);
    };
    const failed = (error: unknown) => {
      stop();
      reject(error);
    };
    const ended = () => failed(new Error("a thread that hashed a password has ended"));
    thread.on("message", answered).on("error", failed).on("exit", ended);
    thread.postMessage(task);
  });
}
