import type { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import type { ServiceImpl } from "@connectrpc/connect";
import { clientOf } from "./client.ts";
import type { Parts } from "./parts.ts";
import type { SessionClaim } from "./session-key.ts";
import { handOutSessionKey, invalidSession } from "./session-opener.ts";
import type { Standing } from "./store.ts";

/** What the gateway and the order-service ask: new tokens for session keys, and the public keys. */
export function sessionServiceHandlers(parts: Parts): ServiceImpl<typeof SessionService> {
  const { store, sessions, sessionKeys, issueToken, revoker, audit } = parts;

  async function punishTheft({ userId, sessionId }: SessionClaim, header: Headers): Promise<void> {
    const { ip } = clientOf(header, parts.credential);
    audit("session key stolen", { userId, sessionId, ip, header });
    await revoker.publish(await store.revokeSession(userId, sessionId));
  }

  return {
    async refreshSession({ expectedUserId, expectedSessionId }, context) {
      const claim = sessionKeys.decode(context.requestHeader.get(metadata.sessionKey) ?? "");
      if (claim === undefined) throw invalidSession();
      const { userId, sessionId } = claim;
      if (!isOrEmpty(expectedUserId, userId) || !isOrEmpty(expectedSessionId, sessionId))
        throw invalidSession();
      // PostgreSQL has the last word: Redis may have lost what was revoked.
      const standing = await store.standing(userId, sessionId);
      if (!mayGoOn(standing)) throw invalidSession();
      const epoch = standing.sessionEpoch;
      const { ip } = clientOf(context.requestHeader, parts.credential);
      const rotation = await sessions.rotate(claim, epoch, ip);
      if (rotation.outcome === "theft") await punishTheft(claim, context.requestHeader);
      if (!("generation" in rotation)) throw invalidSession();

      const current = { ...claim, generation: rotation.generation };
      const token = await issueToken({ ...current, epoch, role: standing.role });
      if (rotation.outcome !== "fresh")
        handOutSessionKey(context, sessionKeys, current, rotation.lifeMs);
      return { token, tokenExpiresInSeconds: parts.tokenTtlSeconds };
    },

    async confirmSession({ userId, sessionId, generation }) {
      await sessions.confirm({ userId, sessionId, generation });
      return {};
    },

    getSigningKeys: () => ({ keys: [...parts.keyring.publicKeys()] }),
  };
}

function isOrEmpty(expected: string, actual: string): boolean {
  return expected === "" || expected.toLowerCase() === actual;
}

function mayGoOn(standing: Standing | undefined): standing is Standing {
  return standing !== undefined && !standing.isRevoked;
}
