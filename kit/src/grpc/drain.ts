import type { Http2Server } from "node:http2";
import type { Socket } from "node:net";

/** Follows a server's connections, to close them in good order. */
export class ConnectionDrain {
  readonly #server: Http2Server;
  readonly #sockets = new Set<Socket>();

  constructor(server: Http2Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /**
   * Stops listening, sends GOAWAY on every connection and waits for its open streams. A request that
   * crosses the GOAWAY is refused unseen, and its client may send it elsewhere. What is left after
   * `deadlineMs` is cut.
   */
  async drain(deadlineMs: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, deadlineMs);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(timer);
  }
}
