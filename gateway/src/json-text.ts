import { maxJsonDepth, maxJsonValues } from "./limits.ts";

/** What is wrong with a JSON text, and where. */
export interface JsonFault {
  readonly rule: `json.${"syntax" | "depth" | "size" | "duplicate_key" | "key" | "number"}`;
  readonly message: string;
  /** Offset in the text, from 0. */
  readonly position: number;
  /** Where in the value: object keys and list indexes. */
  readonly path: readonly (string | number)[];
}

/** Thrown by {@link parseJson}. */
export class JsonError extends Error {
  override name = "JsonError";
  readonly fault: JsonFault;

  constructor(fault: JsonFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/**
 * Parses JSON (RFC 8259) more strictly than `JSON.parse`: no key twice in an object, no `__proto__`,
 * no deep nesting, no masses of values, no whole number that a double would round. Errors name the place, not the content.
 *
 * @throws {JsonError}
 */
export function parseJson(text: string): unknown {
  new Scanner(text).run();
  return JSON.parse(text);
}

/** Whether a value is what JSON calls an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface Frame {
  /** Keys seen so far; `undefined` in a list. */
  readonly keys: Set<string> | undefined;
  /** The member or element being read. */
  at: string | number;
}

const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const blank = /[ \t\r\n]*/y;
const literals = { t: "true", f: "false", n: "null" } as const;
/** Where what is written with a fraction or an exponent cannot be an integer of ours any more. */
const beyondIntegers = 2 ** 64;
const forbiddenKeys = new Set(["__proto__"]);

class Scanner {
  readonly #text: string;
  readonly #frames: Frame[] = [];
  #position = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    this.#value();
    while (this.#frames.length > 0) this.#next();
    this.#skipBlanks();
    if (this.#position < this.#text.length) this.#fail("json.syntax", "text after the value");
  }

  /** Reads a scalar, or opens an object or a list. */
  #value(): void {
    this.#skipBlanks();
    if (++this.#values > maxJsonValues)
      this.#fail("json.size", `more than ${maxJsonValues} values`);
    const start = this.#text[this.#position];
    if (start === "{") this.#open(new Set());
    else if (start === "[") this.#open(undefined);
    else if (start === '"') this.#string();
    else if (start === "t" || start === "f" || start === "n") this.#literal(literals[start]);
    else this.#number();
  }

  #open(keys: Set<string> | undefined): void {
    if (this.#frames.length >= maxJsonDepth)
      this.#fail("json.depth", `nested deeper than ${maxJsonDepth} levels`);
    this.#position++;
    this.#frames.push({ keys, at: keys ? "" : -1 });
    this.#skipBlanks();
    if (this.#text[this.#position] === (keys ? "}" : "]")) this.#close();
    else this.#member();
  }

  /** What follows a value: a comma and another one, or the end of what holds it. */
  #next(): void {
    this.#skipBlanks();
    const closing = this.#frame.keys ? "}" : "]";
    const found = this.#text[this.#position];
    if (found !== "," && found !== closing) this.#fail("json.syntax", `expected , or ${closing}`);
    if (found === closing) this.#close();
    else this.#comma();
  }

  #comma(): void {
    this.#position++;
    this.#member();
  }

  #member(): void {
    const frame = this.#frame;
    if (frame.keys) this.#key(frame, frame.keys);
    else frame.at = Number(frame.at) + 1;
    this.#value();
  }

  #key(frame: Frame, keys: Set<string>): void {
    this.#skipBlanks();
    if (this.#text[this.#position] !== '"') this.#fail("json.syntax", "expected a quoted key");
    const start = this.#position;
    this.#string();
    const key: string = JSON.parse(this.#text.slice(start, this.#position));
    frame.at = key;
    if (forbiddenKeys.has(key)) this.#fail("json.key", "this key is not allowed", start);
    if (keys.has(key)) this.#fail("json.duplicate_key", "the key is there twice", start);
    keys.add(key);
    this.#skipBlanks();
    if (this.#text[this.#position] !== ":") this.#fail("json.syntax", "expected :");
    this.#position++;
  }

  #string(): void {
    const text = this.#text;
    let position = this.#position + 1;
    for (;;) {
      const code = text.charCodeAt(position);
      if (code === 0x22) break;
      if (code === 0x5c) position = this.#escape(position);
      else if (code >= 0x20) position++;
      else if (Number.isNaN(code)) this.#fail("json.syntax", "the string has no end");
      else this.#fail("json.syntax", "a control character must be escaped", position);
    }
    this.#position = position + 1;
  }

  /** The position after the escape sequence that starts here. */
  #escape(position: number): number {
    const kind = this.#text[position + 1] ?? "";
    if ('"\\/bfnrt'.includes(kind) && kind !== "") return position + 2;
    if (kind === "u" && /^[\da-fA-F]{4}$/.test(this.#text.slice(position + 2, position + 6)))
      return position + 6;
    return this.#fail("json.syntax", "an unknown escape sequence", position);
  }

  #literal(word: string): void {
    if (!this.#text.startsWith(word, this.#position)) this.#fail("json.syntax", "expected a value");
    this.#position += word.length;
  }

  #number(): void {
    number.lastIndex = this.#position;
    const match = number.exec(this.#text) ?? this.#fail("json.syntax", "expected a value");
    if (isRounded(match[0], match[1] ?? match[2]))
      this.#fail("json.number", "write a whole number beyond 2^53 as a string");
    this.#position = number.lastIndex;
  }

  #skipBlanks(): void {
    blank.lastIndex = this.#position;
    blank.test(this.#text);
    this.#position = blank.lastIndex;
  }

  get #frame(): Frame {
    return this.#frames.at(-1) as Frame;
  }

  #close(): void {
    this.#frames.pop();
    this.#position++;
  }

  #fail(rule: JsonFault["rule"], message: string, position = this.#position): never {
    const path = this.#frames.map(({ at }) => at).filter((at) => at !== "" && at !== -1);
    throw new JsonError({ rule, message, position, path });
  }
}

/** Whether a number is, or may have become, another whole one as a double. */
function isRounded(text: string, fractionOrExponent: string | undefined): boolean {
  if (fractionOrExponent === undefined && text.length <= 15) return false;
  const value = Number(text);
  if (Number.isSafeInteger(value)) return false;
  if (fractionOrExponent === undefined) return true;
  return Number.isInteger(value) && Math.abs(value) < beyondIntegers;
}
