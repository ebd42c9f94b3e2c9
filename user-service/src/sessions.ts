import type { IntrospectResponse, UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { IntrospectResponseSchema } from "@3l1/gen/user/v1/user_service_pb.ts";
import { bearerOf } from "@3l1/kit/auth/access-token.ts";
import { type Caller, callerKey, callerOf } from "@3l1/kit/auth/caller.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { revocationMarginMs } from "./limits.ts";
import type { Parts } from "./parts.ts";
import type { SessionClaim } from "./session-key.ts";
import { invalidSession, takeBackSessionKey } from "./session-opener.ts";
import type { RevocationRecord } from "./store.ts";
import { toRole } from "./user-message.ts";

type Handlers = Pick<
  ServiceImpl<typeof UserService>,
  "logout" | "introspect" | "listSessions" | "revokeSession"
>;

/** The sessions of a user, as the user sees and ends them. */
export function sessionHandlers(parts: Parts): Handlers {
  const { store, sessions, revoker, revocations, verifier, audit } = parts;

  /** Whose session to end: the token says it, or the session key does, of whatever generation. */
  async function holderOf(context: HandlerContext) {
    const caller = context.values.get(callerKey);
    if (caller !== undefined) return caller;
    const key = context.requestHeader.get(metadata.sessionKey) ?? "";
    return parts.sessionKeys.decode(key);
  }
  /** Whether the token is one that a logout before has ended: then there is nothing left to do. */
  async function isLoggedOut({ requestHeader }: HandlerContext): Promise<boolean> {
    const bearer = bearerOf(requestHeader.get(metadata.authorization));
    const verdict = await verifier.verify(bearer ?? "");
    return verdict.state === "valid" && revocations.isRevoked(verdict.token.caller);
  }
  /**
   * A key can be read long after its session has ended. Then it must not end others any more: whoever
   * found it could keep the user out for ever.
   */
  async function mayEndOthers(holder: SessionClaim, context: HandlerContext): Promise<boolean> {
    if (context.values.get(callerKey) !== undefined) return true;
    const { userId, sessionId } = holder;
    const standing = await store.standing(userId, sessionId);
    if (standing === undefined || standing.isRevoked) return false;
    return sessions.isOpen(userId, sessionId, standing.sessionEpoch);
  }
  async function publish(record: RevocationRecord | undefined, context: HandlerContext) {
    if (record === undefined) return;
    context.responseHeader.set(metadata.revocation, await revoker.publish(record));
  }
  /** Without Redis to ask, rather a row too much than a session that lives on. */
  function mayRevoke(userId: string, sessionId: string): Promise<boolean> {
    const keptMs = parts.tokenTtlSeconds * 1000 + revocationMarginMs;
    return sessions.mayRevoke(userId, sessionId, keptMs).catch(() => true);
  }
  async function roleIfActive({ userId, sessionId, epoch }: Caller) {
    const standing = await store.standing(userId, sessionId);
    if (standing === undefined || standing.isRevoked) return undefined;
    return standing.sessionEpoch > epoch ? undefined : toRole(standing.role);
  }

  return {
    async logout({ everywhere }, context) {
      const holder = await holderOf(context);
      if (holder === undefined && !(await isLoggedOut(context))) throw invalidSession();
      takeBackSessionKey(context);
      if (holder === undefined) return {};
      const { userId, sessionId } = holder;
      if (everywhere && !(await mayEndOthers(holder, context))) return {};
      const record = everywhere
        ? await store.revokeAll(userId)
        : await store.revokeSession(userId, sessionId);
      await publish(record, context);
      const event = everywhere ? "logged out everywhere" : "logged out";
      audit(event, { userId, sessionId, header: context.requestHeader });
      return {};
    },

    async introspect(request, context): Promise<IntrospectResponse> {
      const inactive = create(IntrospectResponseSchema, { active: false });
      const bearer = bearerOf(context.requestHeader.get(metadata.authorization));
      const verdict = await verifier.verify(request.token || bearer || "");
      if (verdict.state !== "valid" || revocations.isRevoked(verdict.token.caller)) return inactive;
      const { caller, issuedAt, expiresAt } = verdict.token;
      const role = await roleIfActive(caller);
      if (role === undefined) return inactive;
      return create(IntrospectResponseSchema, {
        active: true,
        userId: caller.userId,
        role,
        sessionId: caller.sessionId,
        issuedAt: timestampFromMs(issuedAt * 1000),
        expiresAt: timestampFromMs(expiresAt * 1000),
      });
    },

    async listSessions(_request, context) {
      const { userId, sessionId } = callerOf(context);
      const rows = await sessions.list(userId);
      return {
        sessions: rows.map(({ id, device, ip, createdAt, lastSeenAt }) => ({
          id,
          device,
          ip,
          createdAt: timestampFromDate(createdAt),
          lastSeenAt: timestampFromDate(lastSeenAt),
          current: id === sessionId,
        })),
      };
    },

    async revokeSession({ id }, context) {
      const { userId } = callerOf(context);
      const sessionId = id.toLowerCase();
      if (!(await mayRevoke(userId, sessionId))) return {};
      await publish(await store.revokeSession(userId, sessionId), context);
      audit("session revoked", { userId, sessionId, header: context.requestHeader });
      return {};
    },
  };
}
