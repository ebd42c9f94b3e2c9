import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import type { TokenIssuer } from "./access-tokens.ts";
import type { Audit } from "./audit.ts";
import type { Revoker } from "./revoker.ts";
import type { SessionClaim, SessionKeys } from "./session-key.ts";
import type { Client, SessionStore } from "./session-store.ts";
import type { Account, Store } from "./store.ts";

/** A session that has just been opened. */
export interface OpenedSession {
  readonly claim: SessionClaim;
  readonly token: string;
  readonly lifeMs: number;
}

export interface SessionOpenerOptions {
  readonly store: Store;
  readonly sessions: SessionStore;
  readonly revoker: Revoker;
  readonly issueToken: TokenIssuer;
  readonly audit: Audit;
}

/** Opens a session for an account whose owner has just been recognised. */
export type SessionOpener = (
  account: Pick<Account, "id" | "sessionEpoch" | "role">,
  client: Client,
) => Promise<OpenedSession>;

export function createSessionOpener(options: SessionOpenerOptions): SessionOpener {
  const { store, sessions, revoker, issueToken, audit } = options;

  async function evict(userId: string, sessionIds: readonly string[]): Promise<void> {
    for (const sessionId of sessionIds) {
      audit("session evicted", { userId, sessionId });
      await revoker.publish(await store.revokeSession(userId, sessionId));
    }
  }

  return async ({ id: userId, sessionEpoch: epoch, role }, client) => {
    const sessionId = uuidv7();
    const creation = await sessions.create({ userId, sessionId, epoch, client });
    if (creation.outcome === "stale")
      throw new ConnectError("the account has just changed, log in again", Code.Unauthenticated);
    await evict(userId, creation.evicted);
    const claim = { userId, sessionId, generation: 0 };
    const token = await issueToken({ ...claim, epoch, role });
    return { claim, token, lifeMs: creation.lifeMs };
  };
}

/** Hands a session key to the client, for as long as the session may last unused. */
export function handOutSessionKey(
  { responseHeader }: Pick<HandlerContext, "responseHeader">,
  keys: SessionKeys,
  claim: SessionClaim,
  lifeMs: number,
): void {
  responseHeader.set(metadata.sessionKey, keys.encode(claim));
  responseHeader.set(metadata.sessionKeyMaxAge, String(Math.floor(lifeMs / 1000)));
}

/** Has the client forget its session key. */
export function takeBackSessionKey({
  responseHeader,
}: Pick<HandlerContext, "responseHeader">): void {
  responseHeader.set(metadata.sessionKey, "");
  responseHeader.set(metadata.sessionKeyMaxAge, "0");
}

/** The session or the token is not good, or not any more. */
export function invalidSession(): ConnectError {
  return failure(Code.Unauthenticated, "the session is not valid", Reason.INVALID_TOKEN);
}
