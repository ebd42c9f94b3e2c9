import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy that keeps some answers back. */
export interface HoldingProxy extends AsyncDisposable {
  readonly url: string;
}

/**
 * For tests: stands before the gateway at `url`, and is to browsers the gateway itself. An answer is passed
 * on as soon as `release`, asked with its path, has resolved.
 */
export async function createHoldingProxy(
  url: string,
  release: (path: string) => Promise<unknown>,
): Promise<HoldingProxy> {
  const server = createServer((near, answer) => {
    const { method, headers } = near;
    const far = near.pipe(request(`${url}${near.url}`, { method, headers }));
    answer.on("close", () => far.destroy());
    far.on("error", () => answer.destroy());
    far.on("response", async (response: IncomingMessage) => {
      response.on("error", () => answer.destroy());
      await release(near.url ?? "");
      response.pipe(answer.writeHead(response.statusCode ?? 500, response.rawHeaders));
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
