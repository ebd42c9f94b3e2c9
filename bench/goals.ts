import { type Figures, medianOf } from "./figures.ts";
import type { IdleFigures, MemoryFigures } from "./memory.ts";

/** All that was measured. */
export interface Results {
  readonly scenarios: readonly Figures[];
  readonly memory: MemoryFigures | undefined;
  readonly idle: IdleFigures;
}

/** Something to reach. */
export interface Goal {
  readonly title: string;
  readonly value: number;
  /** What the value may be at most. */
  readonly atMost: number;
  readonly unit: "" | "ms" | "MiB";
  /** False: it is shown, but fails no run, since it depends on the machine or compares unlike things. */
  readonly isDecisive: boolean;
}

/** The goals whose parts were measured, with what came of them. Ratios hold on any machine. */
export function goalsOf({ scenarios, memory, idle }: Results): Goal[] {
  const figuresOf = (name: string) => scenarios.find((scenario) => scenario.name === name);
  const cpuRatio = (name: string, other: string) => ratioOf(figuresOf(name), figuresOf(other));
  const ratio = { unit: "", isDecisive: true } as const;
  const goals: Goal[] = [
    {
      title: "CPU of our hop ÷ connect-node's, with the same interceptors",
      value: cpuRatio("own-interceptors", "stock-interceptors"),
      atMost: 0.3,
      ...ratio,
    },
    {
      title: "CPU of our hop ÷ grpc-js's, both without interceptors",
      value: cpuRatio("own", "grpc-js"),
      atMost: 0.75,
      ...ratio,
    },
    {
      title: "CPU of our hop with interceptors ÷ grpc-js's without",
      value: cpuRatio("own-interceptors", "grpc-js"),
      atMost: 0.75,
      unit: "",
      isDecisive: false,
    },
    {
      title: "CPU of reading an order through all of 3L1 ÷ connect-node's bare hop",
      value: cpuRatio("read-order", "stock"),
      atMost: 0.5,
      ...ratio,
    },
    {
      title: "CPU of reading an order through all of 3L1",
      value: figuresOf("read-order")?.totalCpuMs ?? Number.NaN,
      atMost: 0.35,
      unit: "ms",
      isDecisive: false,
    },
    {
      title: `memory after ${memory?.requests} requests ÷ before`,
      value: memory ? memory.afterMiB / memory.beforeMiB : Number.NaN,
      atMost: 1.1,
      ...ratio,
    },
    {
      title: "idle memory of the three processes, shared pages counted once",
      value: idle.takenMiB,
      atMost: 250,
      unit: "MiB",
      isDecisive: true,
    },
    {
      title: "idle RSS of the three processes, added up",
      value: idle.rssMiB,
      atMost: 250,
      unit: "MiB",
      isDecisive: false,
    },
  ];
  return goals.filter(({ value }) => !Number.isNaN(value));
}

/** The median of the rounds' ratios: a machine may be slower in some rounds, and then is so for both. */
function ratioOf(one: Figures | undefined, other: Figures | undefined): number {
  if (one === undefined || other === undefined) return Number.NaN;
  const others = other.totalCpuMsByRound;
  return medianOf(one.totalCpuMsByRound.map((ms, round) => ms / (others[round] ?? Number.NaN)));
}

export function isReached({ value, atMost }: Goal): boolean {
  return value <= atMost;
}
