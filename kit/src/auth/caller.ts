import { Code, ConnectError, createContextKey, type HandlerContext } from "@connectrpc/connect";

/** Whose access token came with a call. */
export interface Caller {
  /** The user, `sub`. */
  readonly userId: string;
  /** The session, `sid`. */
  readonly sessionId: string;
  /** The session key's generation, `gen`. */
  readonly generation: number;
  /** The user's epoch, `ep`: it rises when all tokens issued so far are to die. */
  readonly epoch: number;
  /** Whether the user is an administrator. */
  readonly isAdmin: boolean;
  /** When the token expires, `exp`, in milliseconds since 1970. What lasts longer than a call ends then. */
  readonly expiresAtMs: number;
}

/** Where the authenticate interceptor leaves the caller; `undefined` when no valid token came. */
export const callerKey = createContextKey<Caller | undefined>(undefined, {
  description: "caller",
});

/**
 * The caller of a method that needs one.
 *
 * @throws ConnectError `unauthenticated` without.
 */
export function callerOf(context: Pick<HandlerContext, "values">): Caller {
  const caller = context.values.get(callerKey);
  if (caller === undefined) throw new ConnectError("log in first", Code.Unauthenticated);
  return caller;
}
