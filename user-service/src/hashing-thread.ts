// A thread that hashes passwords, one at a time. See hashing-threads.ts.

import { constants, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import bcrypt from "bcrypt";
import type { Answer, Task } from "./hashing-threads.ts";
import { hasHash, hashPassword, isBcrypt } from "./password-hash.ts";

// Linux has a priority for each thread; elsewhere this would be that of the whole process.
if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

parentPort?.on("message", (task: Task) => parentPort?.postMessage(answer(task)));

function answer(task: Task): Answer {
  try {
    if ("parameters" in task) return { value: hashPassword(task.password, task.parameters) };
    return { value: compare(task.password, task.hash) };
  } catch (error) {
    return { failure: (error as Error).message };
  }
}

function compare(password: string, hash: string): boolean {
  if (!isBcrypt(hash)) return hasHash(password, hash);
  // bcrypt stops at a NUL: "secret\0anything" would match the hash of "secret".
  return !password.includes("\0") && bcrypt.compareSync(password, hash);
}
