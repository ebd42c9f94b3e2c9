import http2, { type Http2Server, type ServerHttp2Session } from "node:http2";
import { Server as NetServer } from "node:net";

/** RFC 9113, 6.8: a GOAWAY with the highest stream id announces the end and refuses nothing yet. */
const HIGHEST_STREAM_ID = 2 ** 31 - 1;
/** Requests that crossed the announcement arrive within a round trip; a dead peer does not hold us up. */
const ANNOUNCEMENT_MS = 250;

/** Follows a server's sessions, to close them in good order. */
export class SessionDrain {
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(server: Http2Server) {
    this.#server = server;
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
  }

  /**
   * Stops listening, announces the end to every client, waits for what they had sent before they knew,
   * then for open streams. Destroys what is left after `deadlineMs`.
   */
  async drain(deadlineMs: number): Promise<void> {
    const timer = setTimeout(() => this.#destroy(), deadlineMs);
    const closed = stopListening(this.#server);
    await Promise.all([...this.#sessions].map(announce));
    for (const session of this.#sessions) session.close();
    await closed;
    clearTimeout(timer);
  }

  #destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

/** Resolves when the last connection is gone. Http2Server's own `close` would refuse streams at once. */
function stopListening(server: Http2Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    NetServer.prototype.close.call(server, () => resolve());
  });
}

/** Sends the announcement, and waits for a ping's way there and back. */
function announce(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ANNOUNCEMENT_MS);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    if (session.destroyed || session.closed) return done();
    session.once("close", done);
    session.goaway(http2.constants.NGHTTP2_NO_ERROR, HIGHEST_STREAM_ID);
    session.ping(done);
  });
}
