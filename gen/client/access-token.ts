import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { ErrorInfoSchema, Reason } from "../src/platform/v1/error_pb.ts";

/** An access token, in memory alone, for the clients whose transport has its interceptor. */
export interface AccessToken {
  /** What goes along with every call as bearer. Set it after logging in, and to `undefined` after logging out. */
  value: string | undefined;
  /** For `createConnectTransport({ interceptors: [token.interceptor] })`, or gRPC-Web's. */
  readonly interceptor: Interceptor;
}

/**
 * Keeps an access token fresh. Once it has expired, the session cookie beside it buys a new one: the
 * gateway answers as if nothing had happened, errors included, with the token in `X-Access-Token`. Here
 * it takes the old one's place. A token that is refused is forgotten, and the cookie tried alone.
 *
 * @param onReissue told of each token that came so, with its life in seconds. Default: nobody is.
 */
export function keepAccessToken(
  onReissue: (token: string, expiresInSeconds: number) => void = () => {},
): AccessToken {
  const interceptor: Interceptor = (next) => async (request) => {
    const used = token.value;
    if (used !== undefined) request.header.set("authorization", `Bearer ${used}`);
    const heed = (header: Headers, isRefused = false) => {
      // Somebody has logged in or out meanwhile, or another answer was here first.
      if (token.value !== used) return;
      const reissued = header.get("x-access-token");
      if (reissued !== null) onReissue(reissued, Number(header.get("x-access-token-expires-in")));
      if (reissued !== null || isRefused) token.value = reissued ?? undefined;
    };
    try {
      const answer = await next(request);
      heed(answer.header);
      return answer;
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      const [info] = error.findDetails(ErrorInfoSchema);
      heed(error.metadata, info?.reason === Reason.INVALID_TOKEN);
      throw thrown;
    }
  };
  const token: AccessToken = { value: undefined, interceptor };
  return token;
}
