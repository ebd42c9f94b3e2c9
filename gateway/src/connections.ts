import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { slowClientMs } from "./limits.ts";

/**
 * Follows a server's connections, to close each once no answer is under way on it. Node could do it, but takes
 * one that has never sent a request, or half of one, for busy until its headers time out, and one whose answer
 * still waits for its reader for idle.
 *
 * Who takes nothing of an answer for too long is cut: it would hold the places of its requests for ever, and may
 * have sent many behind one another.
 */
export class Connections {
  readonly #answersUnderWay = new Map<Socket, number>();
  #isEnding = false;

  /**
   * @param server not listening yet
   * @param slowMs see {@link slowClientMs}
   */
  constructor(server: Server, slowMs = slowClientMs) {
    server.setTimeout(slowMs, (socket: Socket) => this.#closeIfStuck(socket));
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

  /** Nothing has moved for a while. While an answer is in the making that is how it should be. */
  #closeIfStuck(socket: Socket): void {
    const isWaiting = this.#answersUnderWay.get(socket) !== 0 && socket.writableLength === 0;
    if (!isWaiting) socket.destroy();
  }

  /** One that we have ended ourselves has an answer on its way, and closes by itself. */
  #closeIfIdle(socket: Socket): void {
    if (this.#answersUnderWay.get(socket) === 0 && !socket.writableEnded) socket.destroy();
  }
}
