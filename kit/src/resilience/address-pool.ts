import { promises as dns, type LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { Endpoint } from "../grpc/endpoint.ts";
import { isConnectFailure, transportError } from "../grpc/error.ts";
import { defaultSessionTimings, type SessionTimings } from "../grpc/session.ts";

/** Settings of {@link AddressPool} that tests change. */
export interface AddressPoolOptions {
  /** How connections are watched. */
  timings?: SessionTimings;
  /** All addresses of a name. Default: the system's resolver. */
  resolve?: (host: string) => Promise<string[]>;
  /** Age of a resolution after which a call starts a new one, in milliseconds. Default 10,000. */
  resolveEveryMs?: number;
}

/** An address as an operator sees it. */
export interface AddressSnapshot {
  /** For example `http://10.0.0.7:50052`. */
  readonly address: string;
  /** Whether there is a connection that takes calls. */
  readonly connected: boolean;
  /** Whether it is left out for a while because its calls kept failing. */
  readonly ejected: boolean;
  /** Calls under way there. */
  readonly callsUnderWay: number;
}

/** What an endpoint is made from. */
interface Target {
  readonly origin: string;
  readonly address: string;
}

/** How often, while there are calls, idle addresses are connected and ejected ones looked at again. */
const MAINTAIN_EVERY_MS = 250;
/** The resolver is asked no more often than this, whatever fails. */
const RESOLVE_AT_MOST_EVERY_MS = 1_000;
/** On close, calls under way may finish for this long. */
const CLOSE_WITHIN_MS = 10_000;

/**
 * All addresses behind some base URLs, one HTTP/2 connection each. Calls go to the less busy one of two
 * taken at random ("The Power of Two Choices in Randomized Load Balancing", Mitzenmacher 2001). Addresses
 * that keep failing are left out for a while, at most half of them.
 */
export class AddressPool {
  readonly #origins: readonly URL[];
  readonly #timings: SessionTimings;
  readonly #resolve: (host: string) => Promise<string[]>;
  readonly #resolveEveryMs: number;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #leaving = new Set<Endpoint>();
  #ready: Endpoint[] = [];
  #resolving: Promise<void> | undefined;
  #resolvedAtMs = Number.NEGATIVE_INFINITY;
  #maintainAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @throws TypeError if there is no base URL, or one is malformed or has a path. */
  constructor(baseUrls: readonly string[], options: AddressPoolOptions = {}) {
    this.#origins = baseUrls.map(parseOrigin);
    if (this.#origins.length === 0) throw new TypeError("a gRPC transport needs a base URL");
    this.#timings = options.timings ?? defaultSessionTimings;
    this.#resolve = options.resolve ?? systemResolve;
    this.#resolveEveryMs = options.resolveEveryMs ?? 10_000;
  }

  /** A connected address that was heard of lately, if there is one: the usual case, without a promise. */
  pick(avoid?: Endpoint): Endpoint | undefined {
    const nowMs = performance.now();
    if (nowMs >= this.#maintainAtMs) this.#maintain(nowMs);
    const endpoint = lessBusyOfTwo(this.#ready, avoid);
    if (endpoint?.session?.isFresh(nowMs)) return endpoint;
    return this.#ready.find((each) => each !== avoid && each.session?.isFresh(nowMs));
  }

  /**
   * A connected address, after connecting or verifying where need be.
   * @throws ConnectError `unavailable`, provably never ran, if no address can be reached.
   */
  async acquire(avoid?: Endpoint): Promise<Endpoint> {
    for (let attempt = 0; attempt < 3; attempt++) {
      this.#refuseIfClosed();
      const endpoint = lessBusyOfTwo(this.#ready, avoid) ?? (await this.#connectAny(avoid));
      const session = endpoint.session;
      if (session === undefined) continue;
      if (session.isFresh(performance.now()) || (await session.verify())) return endpoint;
    }
    throw transportError("no address answers", false);
  }

  /** All addresses that are known, in no order. None before the first call. */
  snapshot(): AddressSnapshot[] {
    const nowMs = performance.now();
    return [...this.#endpoints.values()].map((endpoint) => endpoint.snapshot(nowMs));
  }

  /** Takes no new calls, and waits for the open ones, up to 10 s. */
  async close(): Promise<void> {
    this.#closed = true;
    const endpoints = [...this.#endpoints.values(), ...this.#leaving];
    this.#endpoints.clear();
    this.#ready = [];
    const timer = setTimeout(() => {
      for (const endpoint of endpoints) endpoint.destroy();
    }, CLOSE_WITHIN_MS);
    await Promise.all(endpoints.map((endpoint) => endpoint.retire()));
    clearTimeout(timer);
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw transportError("the transport is closed", false);
  }

  /**
   * The first address that connects. Ejected ones may be back, so they are asked as well; those that are
   * connected and fail all the same are the last resort, together with what the resolver knows by now.
   */
  async #connectAny(avoid: Endpoint | undefined): Promise<Endpoint> {
    if (this.#endpoints.size === 0) await this.#refresh();
    this.#refuseIfClosed();
    const known = [...this.#endpoints.values()];
    const others = known.length > 1 ? known.filter((endpoint) => endpoint !== avoid) : known;
    const nowMs = performance.now();
    const failing = (each: Endpoint) => each.isEjected(nowMs) && each.session !== undefined;
    const promising = others.filter((endpoint) => !failing(endpoint));
    try {
      return await firstToConnect(promising);
    } catch (error) {
      await this.#refresh().catch(() => {});
      this.#refuseIfClosed();
      const rest = [...this.#endpoints.values()].filter((each) => !promising.includes(each));
      return await firstToConnect(rest).catch(() => {
        throw error;
      });
    }
  }

  #maintain(nowMs: number): void {
    this.#maintainAtMs = nowMs + MAINTAIN_EVERY_MS;
    if (this.#closed) return;
    if (nowMs - this.#resolvedAtMs >= this.#resolveEveryMs) void this.#refresh().catch(() => {});
    for (const endpoint of this.#unejected(nowMs)) {
      const { session } = endpoint;
      if (session !== undefined && !session.isFresh(nowMs)) void session.verify();
      if (session === undefined && endpoint.mayConnect(nowMs)) endpoint.connect().catch(() => {});
    }
    this.#rebuild();
  }

  #rebuild(): void {
    if (this.#closed) return;
    const endpoints = this.#unejected(performance.now());
    this.#ready = endpoints.filter((endpoint) => endpoint.session !== undefined);
  }

  /** Those in use: without the ejected ones, of which at most half stay out, the longest-ejected. */
  #unejected(nowMs: number): Endpoint[] {
    const all = [...this.#endpoints.values()];
    const ejected = all.filter((endpoint) => endpoint.isEjected(nowMs));
    ejected.sort((one, other) => other.ejectedUntilMs - one.ejectedUntilMs);
    const out = new Set(ejected.slice(0, all.length >> 1));
    return all.filter((endpoint) => !out.has(endpoint));
  }

  #refresh(): Promise<void> {
    this.#resolving ??= this.#resolveAll().finally(() => {
      this.#resolving = undefined;
    });
    return this.#resolving;
  }

  async #resolveAll(): Promise<void> {
    const nowMs = performance.now();
    const known = this.#endpoints.size > 0;
    if (known && nowMs - this.#resolvedAtMs < RESOLVE_AT_MOST_EVERY_MS) return;
    this.#resolvedAtMs = nowMs;
    const results = await Promise.allSettled(this.#origins.map((url) => this.#targetsOf(url)));
    const found = results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
    if (found.length > 0) return this.#replace(found);
    throw results.find((result) => result.status === "rejected")?.reason;
  }

  /** All addresses of an origin, or those known before if the resolver fails. */
  async #targetsOf({ origin, hostname }: URL): Promise<Target[]> {
    const host = hostname.replace(/^\[|\]$/g, "");
    try {
      const addresses = isIP(host) ? [host] : await this.#resolve(host);
      return addresses.map((address) => ({ origin, address }));
    } catch (error) {
      const known = [...this.#endpoints.values()].filter((each) => each.origin === origin);
      if (known.length > 0) return known;
      throw transportError(`cannot resolve ${host}`, false, error);
    }
  }

  #replace(found: readonly Target[]): void {
    if (this.#closed) return;
    const wanted = new Map(found.map((target) => [`${target.origin} ${target.address}`, target]));
    for (const [key, endpoint] of this.#endpoints) {
      if (wanted.has(key)) continue;
      this.#endpoints.delete(key);
      this.#leaving.add(endpoint);
      void endpoint.retire().then(() => this.#leaving.delete(endpoint));
    }
    for (const [key, { origin, address }] of wanted) {
      if (this.#endpoints.has(key)) continue;
      const endpoint = new Endpoint(origin, address, this.#timings, () => this.#rebuild());
      this.#endpoints.set(key, endpoint);
    }
    this.#rebuild();
  }
}

/** @throws what says best why there is none. */
async function firstToConnect(endpoints: readonly Endpoint[]): Promise<Endpoint> {
  try {
    return await Promise.any(endpoints.map((endpoint) => endpoint.connect().then(() => endpoint)));
  } catch (error) {
    const causes = error instanceof AggregateError ? error.errors : [error];
    throw causes.find(isConnectFailure) ?? causes[0] ?? transportError("no address", false);
  }
}

function lessBusyOfTwo(ready: readonly Endpoint[], avoid?: Endpoint): Endpoint | undefined {
  const candidates = avoid && ready.length > 1 ? ready.filter((each) => each !== avoid) : ready;
  const count = candidates.length;
  const at = (Math.random() * count) | 0;
  const one = candidates[at];
  if (count < 2) return one;
  const other = candidates[(at + 1 + ((Math.random() * (count - 1)) | 0)) % count];
  return one && other && other.callsUnderWay < one.callsUnderWay ? other : one;
}

function parseOrigin(baseUrl: string): URL {
  const url = new URL(baseUrl);
  if (url.pathname !== "/" || url.search !== "") {
    throw new TypeError(`a gRPC base URL has no path: ${url.origin}`);
  }
  return url;
}

async function systemResolve(host: string): Promise<string[]> {
  const found: LookupAddress[] = await dns.lookup(host, { all: true });
  return found.map(({ address }) => address);
}
