import http2 from "node:http2";
import net, { type Socket } from "node:net";
import tls from "node:tls";
import { transportError } from "./error.ts";
import { afterSilence } from "./silence.ts";

/** How a connection is watched. All in milliseconds. */
export interface SessionTimings {
  /** Longest wait for the connection and the peer's first SETTINGS frame. */
  connectTimeoutMs: number;
  /** Silence after which the peer is asked for a sign of life. */
  pingAfterMs: number;
  /** Longest wait for that sign; then the connection is given up. */
  pingTimeoutMs: number;
  /** A connection without calls for this long is closed. */
  idleMs: number;
  /** Silence after the peer's GOAWAY, on which calls are still open, after which the connection is given up. */
  goodbyeMs: number;
}

/**
 * A lost SYN is sent again after a second: 3 s see that once. A deadline is 5 s by default: a dead peer
 * is found within two of them. Servers close idle connections later than these 5 minutes. Ours end within half
 * a minute of their goodbye; until then streams say something each quarter of a minute.
 */
export const defaultSessionTimings: SessionTimings = {
  connectTimeoutMs: 3_000,
  pingAfterMs: 5_000,
  pingTimeoutMs: 3_000,
  idleMs: 300_000,
  goodbyeMs: 60_000,
};

/** Client stream ids are odd and end at 2³¹: a connection is replaced well before. */
const MAX_STREAMS = 1_000_000_000;

/** TCP's own probes find a machine that is gone, also on a connection that is closing, where Node.js sends no pings. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/** For any HTTP/2 client here. Node's 10 MiB a connection refuse calls under load. */
export const clientSessionOptions: http2.ClientSessionOptions = {
  maxSessionMemory: 256,
  settings: { enablePush: false, initialWindowSize: 1024 * 1024 },
};
const SESSION_WINDOW_BYTES = 16 * 1024 * 1024;

/** One HTTP/2 connection to one address: opens streams, finds out when the peer is gone. */
export class GrpcSession {
  readonly #http2: http2.ClientHttp2Session;
  readonly #socket: Socket;
  readonly #timings: SessionTimings;
  readonly #watch: NodeJS.Timeout;
  #usable = true;
  #closing = false;
  #openStreams = 0;
  #streamsEver = 0;
  #lastStreamId = Number.POSITIVE_INFINITY;
  #heardAtMs = performance.now();
  #quietSinceMs = this.#heardAtMs;
  #verifying: Promise<boolean> | undefined;

  /**
   * Connects to `address` as `origin`; resolves once the peer has spoken HTTP/2.
   * @throws ConnectError `unavailable`, provably never ran.
   */
  static async open(origin: string, address: string, timings: SessionTimings) {
    const socket = openSocket(new URL(origin), address);
    const createConnection = () => socket;
    const session = http2.connect(origin, { ...clientSessionOptions, createConnection });
    await firstSettings(session, socket, `${origin} at ${address}`, timings.connectTimeoutMs);
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    return new GrpcSession(session, socket, timings);
  }

  private constructor(session: http2.ClientHttp2Session, socket: Socket, timings: SessionTimings) {
    this.#http2 = session;
    this.#socket = socket;
    this.#timings = timings;
    session.unref();
    session.once("close", () => this.#retire());
    session.on("goaway", (_code, lastStreamId) => {
      this.#lastStreamId = Math.min(this.#lastStreamId, lastStreamId);
      this.#retire();
      session.setTimeout(timings.goodbyeMs, () => this.destroy());
      // Once Node.js is through with the frame.
      setImmediate(() => this.close());
    });
    this.#watch = setInterval(() => this.#lookAfter(), timings.pingAfterMs / 2).unref();
  }

  /** False once the peer or we said goodbye; open streams may still end. */
  get usable(): boolean {
    return this.#usable && !this.#http2.closed;
  }

  /** True once the connection is gone, and every stream with it. */
  get isDestroyed(): boolean {
    return this.#http2.destroyed;
  }

  /** True if the peer was heard of a moment ago, or calls under way watch it. */
  isFresh(nowMs: number): boolean {
    return this.#openStreams > 0 || nowMs - this.#heardAtMs < this.#timings.pingAfterMs;
  }

  /** Asks the peer for a sign of life. False, and the session is gone, if there is none. */
  verify(): Promise<boolean> {
    this.#verifying ??= this.#ping().finally(() => {
      this.#verifying = undefined;
    });
    return this.#verifying;
  }

  /** Opens a stream. Call {@link released} when it has closed. */
  open(rawHeaders: readonly string[]): http2.ClientHttp2Stream {
    const stream = this.#http2.request(rawHeaders, { endStream: false });
    if (this.#openStreams++ === 0) this.#http2.ref();
    if (++this.#streamsEver >= MAX_STREAMS) this.close();
    return stream;
  }

  /** Says that a stream has closed, and whether its peer was heard. */
  released(heard: boolean): void {
    const nowMs = performance.now();
    if (heard) this.#heardAtMs = nowMs;
    if (--this.#openStreams > 0) return;
    this.#quietSinceMs = nowMs;
    this.#http2.unref();
    if (this.#closing) this.destroy();
  }

  /** False if the peer's GOAWAY, or its absence, shows that it never looked at the stream. */
  mayHaveRun(stream: http2.ClientHttp2Stream): boolean {
    return stream.id !== undefined && stream.id <= this.#lastStreamId;
  }

  /** Takes no new streams, and closes when the open ones have ended, without waiting for a peer that hangs. */
  close(): void {
    this.#retire();
    this.#closing = true;
    if (this.#openStreams === 0) this.destroy();
  }

  /** Cuts the connection and every open stream. */
  destroy(): void {
    this.#retire();
    destroyAtOnce(this.#http2, this.#socket);
  }

  /** Resolves when the connection is closed. */
  closed(): Promise<void> {
    if (this.#http2.destroyed) return Promise.resolve();
    return new Promise((resolve) => this.#http2.once("close", resolve));
  }

  /** Called when the session stops taking streams. */
  onRetired: () => void = () => {};

  #retire(): void {
    if (this.#http2.destroyed) clearInterval(this.#watch);
    if (!this.#usable) return;
    this.#usable = false;
    this.onRetired();
  }

  #lookAfter() {
    if (this.#http2.destroyed) return clearInterval(this.#watch);
    if (this.#http2.closed) return;
    const nowMs = performance.now();
    if (this.#openStreams === 0) {
      if (nowMs - this.#quietSinceMs >= this.#timings.idleMs) this.close();
    } else if (nowMs - this.#heardAtMs >= this.#timings.pingAfterMs) {
      void this.verify();
    }
  }

  async #ping(): Promise<boolean> {
    const answered = await new Promise<boolean>((resolve) => {
      const endWait = afterSilence(this.#timings.pingTimeoutMs, () => resolve(false));
      const settle = (ok: boolean) => {
        endWait();
        resolve(ok);
      };
      if (this.#http2.destroyed) return settle(false);
      this.#http2.ping((error) => settle(error === null));
    });
    if (answered) this.#heardAtMs = performance.now();
    else this.destroy();
    return answered;
  }
}

/** A connection to this address, whatever the name in the origin says. */
function openSocket({ protocol, hostname, port }: URL, address: string): Socket {
  const to = { host: address, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS };
  if (protocol === "http:") return net.connect({ ...to, port: Number(port || 80) });
  const named = hostname.startsWith("[") || net.isIP(hostname) ? {} : { servername: hostname };
  return tls.connect({ ...to, ...named, port: Number(port || 443), ALPNProtocols: ["h2"] });
}

/**
 * Node.js alone waits before it closes: for a connection that comes to be, for what is still to be written, for the
 * peer's end after its goodbye. A peer that is silent lets it wait for minutes, or for ever.
 */
function destroyAtOnce(session: http2.ClientHttp2Session, socket: Socket): void {
  session.destroy();
  socket.destroy();
}

/** Resolves with the peer's first SETTINGS, which shows that it is alive and speaks HTTP/2. */
function firstSettings(
  session: http2.ClientHttp2Session,
  socket: Socket,
  peer: string,
  timeoutMs: number,
) {
  return new Promise<void>((resolve, reject) => {
    let cause: unknown = new Error("closed before it was ready");
    const endWait = afterSilence(timeoutMs, () => {
      cause = new Error(`no answer within ${timeoutMs} ms`);
      destroyAtOnce(session, socket);
    });
    const onClose = () => {
      endWait();
      reject(transportError(`no connection to ${peer}`, false, cause));
    };
    session.on("error", (error) => {
      cause = error;
    });
    session.once("close", onClose);
    session.once("remoteSettings", () => {
      endWait();
      session.off("close", onClose);
      resolve();
    });
  });
}
