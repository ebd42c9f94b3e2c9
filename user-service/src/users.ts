import type { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { callerOf } from "@3l1/kit/auth/caller.ts";
import { briefError } from "@3l1/kit/logged-error.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { invalidArgument } from "@3l1/kit/rpc/violation.ts";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { clientOf } from "./client.ts";
import type { LoginAttempt } from "./login-throttle.ts";
import type { Parts } from "./parts.ts";
import type { PasswordOwner } from "./password-rules.ts";
import { handOutSessionKey, invalidSession } from "./session-opener.ts";
import type { Account } from "./store.ts";
import { toUser } from "./user-message.ts";

type Handlers = Pick<
  ServiceImpl<typeof UserService>,
  "register" | "login" | "getUser" | "changePassword"
>;

/** Accounts, and how one proves to be their owner. */
export function userHandlers(parts: Parts): Handlers {
  const { store, sessions, openSession, revoker, passwords, throttle, audit } = parts;

  /** Logs an account in, and says so in the answer's metadata. */
  async function open(
    account: Pick<Account, "id" | "sessionEpoch" | "role">,
    context: HandlerContext,
  ) {
    const client = clientOf(context.requestHeader, parts.credential);
    const { claim, token, lifeMs } = await openSession(account, client);
    const handOut = () => handOutSessionKey(context, parts.sessionKeys, claim, lifeMs);
    const answer = { token, tokenExpiresInSeconds: parts.tokenTtlSeconds };
    return {
      claim,
      answer,
      handOut,
      details: { ...detailsOf(context), sessionId: claim.sessionId },
    };
  }
  function detailsOf({ requestHeader }: HandlerContext) {
    const { ip } = clientOf(requestHeader, parts.credential);
    return { ip, header: requestHeader };
  }
  function requireGoodPassword(field: string, password: string, owner: PasswordOwner): void {
    const problem = parts.passwordRules(password, owner);
    if (problem !== undefined) throw invalidArgument({ field, ...problem });
  }
  function attempt(email: string, context: HandlerContext): Promise<LoginAttempt> {
    const details = detailsOf(context);
    return throttle.begin(email, details.ip).catch((error: unknown) => {
      if (error instanceof ConnectError) audit("login throttled", details);
      throw error;
    });
  }
  /** While the password is at hand. Not worth failing, or waiting in a long queue, for. */
  async function improveHash({ id, passwordHash }: Account, password: string): Promise<void> {
    if (!passwords.needsRehash(passwordHash)) return;
    try {
      await store.rehash(id, passwordHash, await passwords.hash(password));
    } catch (error) {
      parts.logger.warn({ err: briefError(error), userId: id }, "hash was not replaced");
    }
  }

  return {
    async register({ name, email, password }, context) {
      requireGoodPassword("password", password, { name, email });
      const id = uuidv7();
      const passwordHash = await passwords.hash(password, context.signal);
      // The session first: when Redis is away, nobody is left with an account they know nothing of.
      const account = { id, name, email, role: "user" as const, passwordHash };
      const session = await open({ ...account, sessionEpoch: 0 }, context);
      const made = await store.insert({ ...account, createdAt: new Date(parts.now()) });
      if (made === undefined) {
        await sessions.revokeSession(id, session.claim.sessionId);
        throw new ConnectError("the e-mail has an account already", Code.AlreadyExists);
      }
      session.handOut();
      audit("registered", { ...session.details, userId: id });
      return { user: toUser(made), ...session.answer };
    },

    async login({ email, password }, context) {
      const { failed, succeeded } = await attempt(email, context);
      const account = await store.findByEmail(email);
      const right = await passwords.verify(password, account?.passwordHash, context.signal);
      if (account === undefined || !right) {
        await failed();
        audit("login failed", { ...detailsOf(context), userId: account?.id });
        throw new ConnectError("the e-mail or the password is wrong", Code.Unauthenticated);
      }
      const session = await open(account, context);
      session.handOut();
      await Promise.all([succeeded(), improveHash(account, password)]);
      audit("logged in", { ...session.details, userId: account.id });
      return { user: toUser(account), ...session.answer };
    },

    async getUser(_request, context) {
      const account = await store.findById(callerOf(context).userId);
      if (account === undefined) throw invalidSession();
      return { user: toUser(account) };
    },

    async changePassword({ currentPassword, newPassword }, context) {
      const account = await store.findById(callerOf(context).userId);
      if (account === undefined) throw invalidSession();
      const { failed, succeeded } = await attempt(account.email, context);
      if (!(await passwords.verify(currentPassword, account.passwordHash, context.signal))) {
        await failed();
        audit("password change failed", { ...detailsOf(context), userId: account.id });
        throw wrongPassword();
      }
      requireGoodPassword("new_password", newPassword, account);
      const hash = await passwords.hash(newPassword, context.signal);
      const change = await store.changePassword(account, hash);
      if (change.outcome !== "changed")
        throw new ConnectError("the account has just changed, try again", Code.Aborted);
      context.responseHeader.set(metadata.revocation, await revoker.publish(change.revocation));
      const session = await open(change.account, context);
      session.handOut();
      await succeeded();
      audit("password changed", { ...session.details, userId: account.id });
      return session.answer;
    },
  };
}

function wrongPassword(): ConnectError {
  return invalidArgument({
    field: "current_password",
    rule: "password.current",
    message: "is not the current password",
  });
}
