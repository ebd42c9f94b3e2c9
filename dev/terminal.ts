import { styleText } from "node:util";

type Style = "bold" | "dim" | "green" | "cyan" | "red" | "yellow";
/** Colour on a terminal; NO_COLOR and FORCE_COLOR are honoured. */
export type Paint = (style: Style, text: string) => string;

/** On a quick machine nothing takes so long: the first start is quiet there. */
const slowAfterMs = 3_000;

/** Where the platform tells its user what happens. */
export interface Terminal {
  print(text?: string): void;
  readonly paint: Paint;
  /** Runs a step and tells when it is done; when it takes longer than three seconds, also that it is under way. */
  step<T>(name: string, run: () => Promise<T>): Promise<T>;
}

export function createTerminal(stream: NodeJS.WriteStream, now: () => number): Terminal {
  const paint: Paint = (style, text) => styleText(style, text, { stream });
  const print = (text = "") => void stream.write(`${text}\n`);
  return {
    print,
    paint,
    async step(name, run) {
      const startedAt = now();
      const slow = setTimeout(() => print(`  ${paint("dim", "…")} ${name}`), slowAfterMs);
      try {
        const result = await run();
        const took = paint("dim", inSeconds(now() - startedAt));
        print(`  ${paint("green", "✓")} ${name.padEnd(14)} ${took}`);
        return result;
      } finally {
        clearTimeout(slow);
      }
    },
  };
}

/** "4.2 s" */
export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
