import { keepAccessToken } from "@3l1/gen/client/access-token.ts";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Role, type User } from "@3l1/gen/user/v1/user_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { Code, type ConnectError, createClient } from "@connectrpc/connect";
import { computed, signal } from "@preact/signals";
import { toast } from "../parts/toasts.tsx";
import { hasCode, reasonOf } from "./failure.ts";
import { betweenExchanges } from "./session-lock.ts";
import { plainTransport } from "./transport.ts";

/** Who is logged in here; `null`: nobody; `undefined`: not known yet. */
export const user = signal<User | null | undefined>(undefined);
/** Why the log-in screen is shown, if that needs a word. */
export const farewell = signal("");
/** Whether an administrator is logged in. */
export const isAdmin = computed(() => user.value?.role === Role.ADMIN);

/**
 * The access token of this tab, in memory alone: what no store holds, no other script can read from one,
 * and the session cookie brings a new one after a reload.
 */
export const accessToken = keepAccessToken();

const accounts = createClient(UserService, plainTransport(accessToken));
let comingBack: Promise<void> | undefined;

/** Somebody has registered or logged in. */
export function welcomeUser(account: User | undefined, token: string): void {
  accessToken.value = token;
  farewell.value = "";
  user.value = account ?? null;
}

/** Nobody is logged in any more. */
export function leave(word: string): void {
  accessToken.value = undefined;
  farewell.value = word;
  user.value = null;
}

/**
 * Finds out who is logged in by the session cookie alone, as after a reload. It brings a fresh token.
 *
 * @throws ConnectError when nobody can tell now
 */
export async function resume(): Promise<void> {
  accessToken.value = undefined;
  const wasHere = user.peek();
  try {
    const { user: account } = await accounts.getUser({});
    if (account !== undefined) user.value = account;
  } catch (error) {
    if (!hasCode(error, Code.Unauthenticated)) throw error;
    // Whoever has just logged out knows why.
    if (user.peek() === null) return;
    const hasEnded = Boolean(wasHere) || reasonOf(error) === Reason.INVALID_TOKEN;
    leave(hasEnded ? "Your session has ended. Please log in again." : "");
  }
}

/**
 * After a 401: another tab may have opened a new session, by a new password for example, and its cookie is
 * ours too. Many calls that fail together ask once.
 *
 * @throws the error, unless the same person is still logged in
 */
export async function comeBack(error: ConnectError): Promise<void> {
  const before = user.peek()?.id;
  if (before === undefined) throw error;
  comingBack ??= betweenExchanges(resume).finally(() => {
    comingBack = undefined;
  });
  await comingBack;
  const now = user.peek();
  if (now?.id === before) return;
  if (now) toast(`You are logged in as ${now.name} now.`);
  throw error;
}
