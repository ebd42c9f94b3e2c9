import { once } from "node:events";
import type { Server } from "node:net";

/** Starts to listen. Rejects with a sentence that names the setting when the port is taken. */
export async function listen(
  server: Server,
  port: number,
  host: string,
  setting: string,
): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(`port ${port} on ${host} is taken; ${setting} sets another`, { cause: error });
  }
}
