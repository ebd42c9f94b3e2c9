// A process that hashes passwords for the user-service. See hashing-process.ts.

import { constants, setPriority } from "node:os";
import argon2 from "argon2";
import bcrypt from "bcrypt";
import type { Answer, Task } from "./hashing-process.ts";
import { isBcrypt } from "./password-hash.ts";

// Before there are threads: on Linux each takes over the priority of the one that starts it.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

// Ctrl-C in a terminal reaches every process. This one ends with the service that it works for.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
process.once("disconnect", () => process.exit());
process.on("message", async (task: Task) => {
  const reply = await answer(task);
  if (process.connected) process.send?.(reply);
});

async function answer({ id, ...task }: Task): Promise<Answer> {
  try {
    if ("parameters" in task) {
      const { password, parameters } = task;
      return { id, value: await argon2.hash(typed(password), parameters) };
    }
    return { id, value: await compare(task.password, task.hash) };
  } catch {
    return { id, failure: "a password's hash could not be made or read" };
  }
}

async function compare(password: string, hash: string): Promise<boolean> {
  if (!isBcrypt(hash)) return await argon2.verify(hash, typed(password));
  // bcrypt stops at a NUL: "secret\0anything" would match the hash of "secret".
  return !password.includes("\0") && (await bcrypt.compare(password, hash));
}

/** In Unicode's NFKC form, since keyboards disagree on how to type the same letter. */
function typed(password: string): string {
  return password.normalize("NFKC");
}
