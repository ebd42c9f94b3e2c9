import type { IncomingHttpHeaders } from "node:http2";

type Entries = ReturnType<Headers["entries"]>;
type Names = ReturnType<Headers["keys"]>;
type ForEachCallback = (value: string, name: string, headers: Headers) => void;

/** `Headers`, whose own declaration has properties for methods, which no class may override. */
interface HeadersMethods {
  append(name: string, value: string): void;
  delete(name: string): void;
  entries(): Entries;
  forEach(callback: ForEachCallback, self?: unknown): void;
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  keys(): Names;
  set(name: string, value: string): void;
  values(): Names;
}
const PlainHeaders = Headers as unknown as new () => HeadersMethods;

/** A name as it is received: in lower case, and no pseudo-header. */
const receivedName = /^[a-z][a-z0-9-]*$/;
/** `Headers` takes spaces from both ends of a value. */
const spaceAtEnd = /^[ \t]|[ \t]$/;
/** Says that what was received does not tell, and the headers themselves have to. */
const unknown = Symbol("unknown");

/**
 * Received HTTP/2 headers or trailers as `Headers`, without pseudo-headers. To build those costs more than
 * the rest of a small call, above all for a long token, and most calls look at one or two of them: these
 * are looked up in what was received. Anything else that is done with them builds them first.
 */
export function receivedHeaders(received: IncomingHttpHeaders | undefined): Headers {
  return new ReceivedHeaders(received) as unknown as Headers;
}

class ReceivedHeaders extends PlainHeaders {
  #received: IncomingHttpHeaders | undefined;

  constructor(received: IncomingHttpHeaders | undefined) {
    super();
    this.#received = received;
  }

  override get(name: string): string | null {
    const value = this.#lookUp(name);
    if (value !== unknown) return value;
    this.#build();
    return super.get(name);
  }

  override has(name: string): boolean {
    const value = this.#lookUp(name);
    if (value !== unknown) return value !== null;
    this.#build();
    return super.has(name);
  }

  override append(name: string, value: string): void {
    this.#build();
    super.append(name, value);
  }

  override set(name: string, value: string): void {
    this.#build();
    super.set(name, value);
  }

  override delete(name: string): void {
    this.#build();
    super.delete(name);
  }

  override getSetCookie(): string[] {
    this.#build();
    return super.getSetCookie();
  }

  override forEach(callback: ForEachCallback, self?: unknown): void {
    this.#build();
    super.forEach(callback, self);
  }

  override entries(): Entries {
    this.#build();
    return super.entries();
  }

  override keys(): Names {
    this.#build();
    return super.keys();
  }

  override values(): Names {
    this.#build();
    return super.values();
  }

  [Symbol.iterator](): Entries {
    return this.entries();
  }

  #lookUp(name: string): string | null | typeof unknown {
    if (this.#received === undefined || !receivedName.test(name)) return unknown;
    const value: unknown = this.#received[name];
    if (value === undefined) return null;
    return typeof value === "string" && !spaceAtEnd.test(value) ? value : unknown;
  }

  #build(): void {
    const received = this.#received;
    this.#received = undefined;
    for (const name in received) {
      if (name.startsWith(":")) continue;
      const value: unknown = received[name];
      if (Array.isArray(value)) for (const each of value) super.append(name, each);
      else if (value !== undefined) super.append(name, String(value));
    }
  }
}
