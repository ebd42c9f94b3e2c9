import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { startGateway, type TestGateway } from "./gateway.ts";
import type { Call } from "./services.ts";

export const cookieName = "__Host-session_key";
/** The session key that clients come with, and the one that follows it. */
export const oldKey = "old-key";
export const newKey = "new-key";
export const cookie = (key = oldKey) => `theme=dark; ${cookieName}=${key}`;

/** A gateway before services that know about sessions, and what they are to do. */
export interface SessionGateway extends TestGateway {
  /** What RefreshSession does. At first: a token of generation 1, and {@link newKey}. */
  refresh: (context: HandlerContext) => Promise<string>;
  isRevoked: boolean;
  silentMs: number;
  callsOf(method: string): Call[];
  ask(headers: Record<string, string>, path?: string, method?: string): Promise<Response>;
  /** Headers with a token that has expired, or will have. */
  bearer(lifeSeconds?: number): Promise<{ authorization: string }>;
}

/** The account of whoever asks. */
export const me = "/api/users/me";

export function giveKey({ responseHeader }: HandlerContext, key: string) {
  responseHeader.set("session-key", key);
  if (key !== "") responseHeader.set("session-key-max-age", "600");
  return {};
}

/** @param redisUrl `TEST_REDIS_URL` */
export async function startSessionGateway(redisUrl: string | undefined): Promise<SessionGateway> {
  const gateway = await startGateway(redisUrl, {
    isRevoked: () => result.isRevoked,
    silentMs: () => result.silentMs,
    env: { CORS_ORIGINS: "https://app.example.com" },
    user: {
      getUser: () => ({ user: { id: "ann" } }),
      introspect: () => ({ active: false }),
      listSessions: () => {
        throw new ConnectError("no such thing", Code.NotFound);
      },
      deleteUser: (_, context) => giveKey(context, ""),
      logout: (_, context) => giveKey(context, ""),
      changePassword: (_, context) => ({ token: "brand-new", ...giveKey(context, "other-key") }),
      login: (_, context) => ({ token: "fresh", ...giveKey(context, newKey) }),
      setUserRole: (_, { responseHeader }) => {
        responseHeader.set("revocation", "user bob 3 9999999999999");
        return {};
      },
    },
    session: {
      refreshSession: async (_, context) => ({
        token: await result.refresh(context),
        tokenExpiresInSeconds: 300,
      }),
    },
  });
  const result: SessionGateway = Object.assign(gateway, {
    refresh: async (context: HandlerContext) => {
      giveKey(context, newKey);
      return gateway.tokens.issue({ generation: 1 });
    },
    isRevoked: false,
    silentMs: 0,
    callsOf: (name: string) => gateway.calls.filter(({ method }) => method === name),
    ask: (headers: Record<string, string>, path = me, method = "GET") =>
      gateway.fetch(path, { method, headers }),
    bearer: async (lifeSeconds = 300) => ({
      authorization: `Bearer ${await gateway.tokens.issue({ lifeSeconds })}`,
    }),
  });
  return result;
}
