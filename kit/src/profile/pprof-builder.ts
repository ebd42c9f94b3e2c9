import type { Runtime } from "node:inspector/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  Function as Fn,
  Line,
  Location,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from "pprof-format";

/** A kind of value: what is counted, and in which unit. */
export type ValueKind = readonly [type: string, unit: string];

/** Puts a profile of V8's into pprof's format, gzipped protobuf. */
export class PprofBuilder {
  readonly #strings = new StringTable();
  readonly #functions = new Map<string, Fn>();
  readonly #locations = new Map<string, Location>();
  readonly #samples: Sample[] = [];
  readonly #kinds: readonly ValueKind[];

  /** @param kinds of the values that every sample has, in their order; the last one is shown first */
  constructor(kinds: readonly ValueKind[]) {
    this.#kinds = kinds;
  }

  /** @param line in the function, from 1; by default the one where it begins */
  location(frame: Runtime.CallFrame, line = frame.lineNumber + 1): number {
    const fn = this.#function(frame);
    const key = `${fn.id}:${line}`;
    let location = this.#locations.get(key);
    if (location === undefined) {
      const id = this.#locations.size + 1;
      location = new Location({ id, line: [new Line({ functionId: fn.id, line })] });
      this.#locations.set(key, location);
    }
    return Number(location.id);
  }

  /** @param stack locations, the innermost first */
  add(stack: readonly number[], values: readonly number[]): void {
    this.#samples.push(new Sample({ locationId: [...stack], value: [...values] }));
  }

  /** @param period of the last kind of value: how much of it lies between two samples */
  encode(period: number, startedAtMs: number, durationMs: number): Promise<Buffer> {
    const kinds = this.#kinds.map(([type, unit]) => this.#valueType(type, unit));
    const periodType = kinds.at(-1);
    const profile = new Profile({
      sampleType: kinds,
      sample: this.#samples,
      location: [...this.#locations.values()],
      function: [...this.#functions.values()],
      stringTable: this.#strings,
      timeNanos: BigInt(startedAtMs) * 1_000_000n,
      durationNanos: Math.round(durationMs * 1e6),
      ...(periodType && { periodType }),
      period,
    });
    return promisify(gzip)(profile.encode());
  }

  #function({ functionName, url, lineNumber, columnNumber }: Runtime.CallFrame): Fn {
    const key = `${functionName} ${url}:${lineNumber}:${columnNumber}`;
    let fn = this.#functions.get(key);
    if (fn === undefined) {
      const name = this.#strings.dedup(functionName || "(anonymous)");
      fn = new Fn({
        id: this.#functions.size + 1,
        name,
        systemName: name,
        filename: this.#strings.dedup(fileOf(url)),
        startLine: lineNumber + 1,
      });
      this.#functions.set(key, fn);
    }
    return fn;
  }

  #valueType(type: string, unit: string): ValueType {
    return new ValueType({ type: this.#strings.dedup(type), unit: this.#strings.dedup(unit) });
  }
}

/** Types are stripped without moving anything, so lines are those of the TypeScript file. */
function fileOf(url: string): string {
  return url.startsWith("file://") ? fileURLToPath(url) : url;
}
