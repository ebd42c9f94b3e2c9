import { v7 as uuidv7 } from "uuid";
import type { Parts } from "./parts.ts";

export interface FirstAdminOptions
  extends Pick<Parts, "store" | "passwords" | "passwordRules" | "audit" | "logger" | "now"> {
  /** Empty: none is made. */
  readonly email: string;
  readonly password: string;
}

const name = "Administrator";

/**
 * Makes the first administrator, while there is none. Later starts change nothing, and neither does an
 * account that somebody registered under the e-mail: who typed it first has not proved to own it.
 *
 * @throws when the password breaks the rules for passwords
 */
export async function makeFirstAdmin(options: FirstAdminOptions): Promise<void> {
  const { store, passwords, passwordRules, audit, logger, now, email, password } = options;
  if (email === "" || (await store.hasAdmin())) return;
  // Operators may have "admin" in it: it stands in their secrets, not in anybody's head.
  const problem = passwordRules(password, { name: "", email: "" });
  if (problem !== undefined) throw new Error(`ADMIN_PASSWORD ${problem.message}`);
  const id = uuidv7();
  const passwordHash = await passwords.hash(password);
  const createdAt = new Date(now());
  if (await store.insertFirstAdmin({ id, name, email, passwordHash, createdAt }))
    audit("first administrator made", { userId: id });
  else if (!(await store.hasAdmin()))
    logger.error("no administrator: ADMIN_EMAIL belongs to a user's account, choose another one");
}
