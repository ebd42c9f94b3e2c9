import {
  type AddressHealth,
  afterConnection,
  afterFailure,
  afterSuccess,
  healthyAddress,
  isEjected,
} from "../resilience/address-health.ts";
import type { AddressSnapshot } from "../resilience/address-pool.ts";
import { GrpcSession, type SessionTimings } from "./session.ts";

const FIRST_RECONNECT_MS = 100;
const LONGEST_RECONNECT_MS = 10_000;

/** One address of a service: at most one connection that takes calls, and what is known of its health. */
export class Endpoint {
  readonly origin: string;
  readonly address: string;
  /** For the `:scheme` header. */
  readonly scheme: string;
  /** For the `:authority` header. */
  readonly authority: string;
  /** Calls under way, for the power of two choices. */
  callsUnderWay = 0;
  readonly #timings: SessionTimings;
  readonly #onChange: () => void;
  readonly #sessions = new Set<GrpcSession>();
  #session: GrpcSession | undefined;
  #connecting: Promise<void> | undefined;
  #failedConnects = 0;
  #connectAfterMs = Number.NEGATIVE_INFINITY;
  #health: AddressHealth = healthyAddress;
  #removed = false;

  /** @param onChange called when the endpoint gains or loses its connection. */
  constructor(origin: string, address: string, timings: SessionTimings, onChange: () => void) {
    const url = new URL(origin);
    this.origin = origin;
    this.scheme = url.protocol.slice(0, -1);
    this.authority = url.host;
    this.address = address;
    this.#timings = timings;
    this.#onChange = onChange;
  }

  /** The connection that takes calls, if there is one. */
  get session(): GrpcSession | undefined {
    return this.#session?.usable ? this.#session : undefined;
  }

  get ejectedUntilMs(): number {
    return this.#health.ejectedUntilMs;
  }

  isEjected(nowMs: number): boolean {
    return isEjected(this.#health, nowMs);
  }

  /** True if a failed attempt to connect lies long enough back. */
  mayConnect(nowMs: number): boolean {
    return nowMs >= this.#connectAfterMs;
  }

  /** The address as it is now. */
  snapshot(nowMs: number): AddressSnapshot {
    const url = new URL(this.origin);
    url.hostname = this.address.includes(":") ? `[${this.address}]` : this.address;
    return {
      address: url.origin,
      connected: this.session !== undefined,
      ejected: this.isEjected(nowMs),
      callsUnderWay: this.callsUnderWay,
    };
  }

  succeeded(nowMs: number): void {
    this.#health = afterSuccess(this.#health, nowMs);
  }

  failed(nowMs: number): void {
    const wasEjected = this.isEjected(nowMs);
    this.#health = afterFailure(this.#health, nowMs, Math.random());
    if (this.isEjected(nowMs) !== wasEjected) this.#onChange();
  }

  /**
   * Waits for a connection; all waiters share one attempt.
   * @throws ConnectError `unavailable`, provably never ran.
   */
  connect(): Promise<void> {
    if (this.session !== undefined) return Promise.resolve();
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  /** Takes no new calls; resolves when the open ones have ended. */
  async retire(): Promise<void> {
    this.#removed = true;
    for (const session of this.#sessions) session.close();
    await Promise.all([...this.#sessions].map((session) => session.closed()));
  }

  /** Cuts what is open. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }

  async #connect(): Promise<void> {
    try {
      const session = await GrpcSession.open(this.origin, this.address, this.#timings);
      this.#failedConnects = 0;
      this.#health = afterConnection(this.#health);
      this.#adopt(session);
    } catch (error) {
      const nowMs = performance.now();
      const longestMs = Math.min(
        LONGEST_RECONNECT_MS,
        FIRST_RECONNECT_MS * 2 ** this.#failedConnects,
      );
      this.#failedConnects += 1;
      this.#connectAfterMs = nowMs + longestMs * (0.5 + Math.random() / 2);
      this.failed(nowMs);
      throw error;
    }
  }

  #adopt(session: GrpcSession) {
    this.#sessions.add(session);
    void session.closed().then(() => this.#sessions.delete(session));
    if (this.#removed) return session.close();
    session.onRetired = () => this.#onChange();
    this.#session = session;
    this.#onChange();
  }
}
