import type { Http2Server, Http2Session } from "node:http2";

/** Follows a server's sessions, to close them in good order. */
export class SessionDrain {
  readonly #server: Http2Server;
  readonly #sessions = new Set<Http2Session>();

  constructor(server: Http2Server) {
    this.#server = server;
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
  }

  /** Stops listening, sends GOAWAY, waits for open streams; destroys what is left at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const destroy = () => {
      for (const session of this.#sessions) session.destroy();
    };
    const timer = setTimeout(destroy, deadlineMs);
    await closed;
    clearTimeout(timer);
  }
}
