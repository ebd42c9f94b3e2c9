import { parseArgs } from "node:util";

/** How long and how often everything is measured. */
export interface Plan {
  /**
   * All processes are started so often: V8 compiles the same code a little differently each time, and one
   * process keeps what it got. (The forks of the Java Microbenchmark Harness are there for the same reason.)
   */
  readonly launches: number;
  /**
   * Each scenario is asked so often before it counts. After 30,000 requests V8 still spends 3 % of the
   * gateway's time on compiling, after 90,000 half a percent.
   */
  readonly warmUpRequests: number;
  /** Longest warm-up of a scenario, in milliseconds. */
  readonly warmUpMs: number;
  /** In each launch. The scenarios take turns, so that whatever else the machine does hits all of them. */
  readonly rounds: number;
  /** Before each sample, in milliseconds, since who has rested for the others' turns is slow at first. */
  readonly runInMs: number;
  /** Of each scenario in each round, in milliseconds. */
  readonly sampleMs: number;
  /** Requests after which memory has to be where it was. */
  readonly memoryRequests: number;
  /** What memory has to settle, in milliseconds. */
  readonly pauseMs: number;
  /** Whether a missed goal fails the run: figures of a moment prove nothing. */
  readonly isDecisive: boolean;
  /** Names of the scenarios that are measured; goals that need others are left out. Default: all. */
  readonly only: readonly string[] | undefined;
  /** Where the figures go. */
  readonly folder: string;
}

type Length = Omit<Plan, "only" | "folder">;

const full: Length = {
  launches: 4,
  warmUpRequests: 60_000,
  warmUpMs: 15_000,
  rounds: 3,
  runInMs: 1_500,
  sampleMs: 2_000,
  memoryRequests: 50_000,
  pauseMs: 2_000,
  isDecisive: true,
};
const quick: Length = {
  launches: 1,
  warmUpRequests: 100,
  warmUpMs: 500,
  rounds: 1,
  runInMs: 50,
  sampleMs: 200,
  memoryRequests: 500,
  pauseMs: 100,
  isDecisive: false,
};

const usage = `usage: npm run bench [-- --quick] [-- --only NAME,...] [-- --out FOLDER]

  --quick          a moment of everything, to see that it runs; its figures mean nothing
  --only NAME,...  some scenarios, such as read-order,stock; default all
  --out FOLDER     where performance.json and performance.svg go; default .local/bench`;

/** @throws with how to call it */
export function readPlan(args: string[]): Plan {
  const options = {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    out: { type: "string", default: ".local/bench" },
  } as const;
  try {
    const { values } = parseArgs({ args, options, strict: true });
    return { ...(values.quick ? quick : full), only: values.only?.split(","), folder: values.out };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`);
  }
}
