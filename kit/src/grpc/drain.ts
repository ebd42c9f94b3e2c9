import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/** How long a client may take to close its side once nothing is open on a connection; at most twice as long. */
const LAST_WORD_MS = 2_000;

/** Follows a server's connections, to close them in good order. */
export class ConnectionDrain {
  readonly #server: Http2Server;
  readonly #sessions = new Map<Socket, ServerHttp2Session>();

  constructor(server: Http2Server) {
    this.#server = server;
    let latest: ServerHttp2Session;
    // The server makes the session while it hears of the connection, and before we do.
    server.on("session", (session) => {
      latest = session;
    });
    server.on("connection", (socket: Socket) => {
      this.#sessions.set(socket, latest);
      socket.once("close", () => this.#sessions.delete(socket));
    });
  }

  /**
   * Stops listening, sends GOAWAY on every connection and waits for its open streams. A request that
   * crosses the GOAWAY is refused unseen, and its client may send it elsewhere. What is left after
   * `deadlineMs` is cut, and a client that hangs with nothing open is not waited for.
   */
  async drain(deadlineMs: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const socket of this.#sessions.keys()) socket.destroy();
    }, deadlineMs);
    const sweep = this.#cutWhoHangs();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(timer);
    clearInterval(sweep);
  }

  /** Node.js would wait for the client's end of each connection that it has ended. */
  #cutWhoHangs(): NodeJS.Timeout {
    const ended = new Set<Socket>();
    return setInterval(() => {
      for (const [socket, session] of this.#sessions) {
        if (!session.destroyed) continue;
        if (ended.has(socket)) socket.destroy();
        else ended.add(socket);
      }
    }, LAST_WORD_MS);
  }
}
