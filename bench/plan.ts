import { parseArgs } from "node:util";

/** How long and how often everything is measured. */
export interface Plan {
  /** Each scenario is asked so often before it counts: by then the compiler has seen all it needs. */
  readonly warmUpRequests: number;
  /** Longest warm-up of a scenario, in milliseconds. */
  readonly warmUpMs: number;
  /** The scenarios take turns, so that whatever else the machine does hits all of them. */
  readonly rounds: number;
  /** Of each scenario in each round, in milliseconds. */
  readonly sampleMs: number;
  /** Requests after which memory has to be where it was. */
  readonly memoryRequests: number;
  /** What memory has to settle, in milliseconds. */
  readonly pauseMs: number;
  /** Whether a missed goal fails the run: figures of a moment prove nothing. */
  readonly isDecisive: boolean;
  /** Where the figures go. */
  readonly folder: string;
}

const full = {
  warmUpRequests: 15_000,
  warmUpMs: 8_000,
  rounds: 5,
  sampleMs: 2_000,
  memoryRequests: 50_000,
  pauseMs: 2_000,
  isDecisive: true,
};
const quick: typeof full = {
  warmUpRequests: 100,
  warmUpMs: 500,
  rounds: 1,
  sampleMs: 200,
  memoryRequests: 500,
  pauseMs: 100,
  isDecisive: false,
};

const usage = `usage: npm run bench [-- --quick] [-- --out FOLDER]

  --quick        a moment of everything, to see that it runs; its figures mean nothing
  --out FOLDER   where performance.json and performance.svg go; default .local/bench`;

/** @throws with how to call it */
export function readPlan(args: string[]): Plan {
  const options = {
    quick: { type: "boolean", default: false },
    out: { type: "string", default: ".local/bench" },
  } as const;
  try {
    const { values } = parseArgs({ args, options, strict: true });
    return { ...(values.quick ? quick : full), folder: values.out };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`);
  }
}
