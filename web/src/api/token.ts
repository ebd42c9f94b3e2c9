import type { Interceptor } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";

/** Where the gateway puts a token that it has reissued, on answers and errors alike. */
const reissuedToken = "x-access-token";

/**
 * The access token of this tab. It is kept in memory alone: what a page cannot read from a store, no
 * other script can either, and the session cookie brings a new one after a reload.
 */
export interface TokenKeeper {
  token: string | undefined;
}

/** Sends the token along, and takes over the one that any answer brings. */
export function keepTokenFresh(keeper: TokenKeeper): Interceptor {
  return (next) => async (request) => {
    if (keeper.token) request.header.set("authorization", `Bearer ${keeper.token}`);
    else request.header.delete("authorization");
    try {
      const answer = await next(request);
      keeper.token = answer.header.get(reissuedToken) ?? keeper.token;
      return answer;
    } catch (error) {
      keeper.token = ConnectError.from(error).metadata.get(reissuedToken) ?? keeper.token;
      throw error;
    }
  };
}
