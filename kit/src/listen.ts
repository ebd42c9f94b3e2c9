import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";

/**
 * Starts to listen, and tells on which port: 0 asks for any free one. Rejects with a sentence that
 * names the setting when the port is taken.
 */
export async function listen(
  server: Server,
  port: number,
  host: string,
  setting: string,
): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(`port ${port} on ${host} is taken; ${setting} sets another`, { cause: error });
  }
}
