import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * Follows a server's connections, to close each once no answer is under way on it. Node could do it, but takes
 * one that has never sent a request, or half of one, for busy until its headers time out, and one whose answer
 * still waits for its reader for idle.
 */
export class Connections {
  readonly #answersUnderWay = new Map<Socket, number>();
  #isEnding = false;

  /** @param server not listening yet */
  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      this.#answersUnderWay.set(socket, 0);
      socket.once("close", () => this.#answersUnderWay.delete(socket));
    });
    server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#count(socket, 1);
      response.once("close", () => this.#count(socket, -1));
    });
  }

  /** Closes what is idle now, and the rest as it becomes so. */
  end(): void {
    this.#isEnding = true;
    for (const socket of this.#answersUnderWay.keys()) this.#closeIfIdle(socket);
  }

  #count(socket: Socket, change: number): void {
    const answers = this.#answersUnderWay.get(socket);
    if (answers === undefined) return;
    this.#answersUnderWay.set(socket, answers + change);
    if (this.#isEnding) this.#closeIfIdle(socket);
  }

  /** One that we have ended ourselves has an answer on its way, and closes by itself. */
  #closeIfIdle(socket: Socket): void {
    if (this.#answersUnderWay.get(socket) === 0 && !socket.writableEnded) socket.destroy();
  }
}
