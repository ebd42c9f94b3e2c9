import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** For tests: stands between a client and a server, and keeps them apart when told to. */
export interface TcpGate {
  readonly port: number;
  /** Lets everything through. What waited in a freeze is lost. */
  open(): Promise<void>;
  /** Ends all connections and listens no more, as a server that is gone. */
  shut(): Promise<void>;
  /** Ends all connections, and each new one as soon as it is made, as a pooler whose server is gone. */
  slam(): Promise<void>;
  /** Passes on what is asked, and loses what is answered. For connections that are there already. */
  mute(): void;
  /** Takes connections and says nothing any more, as a network that has lost its way. */
  freeze(): Promise<void>;
}

/** A gate to a server. It is open. */
export async function createTcpGate(host: string, port: number): Promise<TcpGate> {
  let state: "open" | "slammed" | "frozen" = "open";
  const sockets = new Set<Socket>();
  const answers = new WeakMap<Socket, Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    return socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (state === "slammed") near.destroy();
    if (state !== "open") return;
    const far = keep(connect(port, host));
    answers.set(far, near);
    near.on("close", () => far.destroy()).pipe(far);
    far.on("close", () => near.destroy()).pipe(near);
  });
  await listening(server.listen(0, "127.0.0.1"));
  const own = (server.address() as AddressInfo).port;

  async function turn(to: typeof state): Promise<void> {
    state = to;
    if (!server.listening) await listening(server.listen(own, "127.0.0.1"));
    for (const socket of sockets)
      if (to === "frozen") socket.unpipe().pause();
      else socket.destroy();
  }
  return {
    port: own,
    open: () => turn("open"),
    slam: () => turn("slammed"),
    freeze: () => turn("frozen"),
    mute() {
      for (const socket of sockets) if (answers.has(socket)) socket.unpipe().resume();
    },
    async shut() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function listening(server: ReturnType<typeof createServer>): Promise<void> {
  await once(server, "listening");
}
