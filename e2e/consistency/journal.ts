/** What a client knows of a write: that it happened, that it did not, or, for want of an answer, neither. */
export type Known = "yes" | "no" | "maybe";

/** An order that a client has asked for, by its note, which no other order has. */
export interface OrderRecord {
  readonly note: string;
  readonly totalMinor: bigint;
  /** All ids that it was acknowledged with: one, if it was at all. */
  readonly ids: Set<string>;
  placed: Known;
  cancelled: Known;
  finished: Known;
  deleted: Known;
  /** Somebody was told that its status is final. */
  isFinal: boolean;
}

/** Somebody, and all that they were told. */
export interface AccountRecord {
  readonly email: string;
  id: string | undefined;
  registered: Known;
  deleted: Known;
  readonly orders: OrderRecord[];
}

/** All that clients were told. */
export interface Journal {
  readonly accounts: AccountRecord[];
  /** Answers that should not be, in words. */
  readonly wrong: string[];
  /** How often a request of a kind had an outcome. */
  readonly counts: Map<string, Map<string, number>>;
}

export function createJournal(): Journal {
  return { accounts: [], wrong: [], counts: new Map() };
}

export function createOrderRecord(note: string, totalMinor: bigint): OrderRecord {
  const nothing = { placed: "no", cancelled: "no", finished: "no", deleted: "no" } as const;
  return { note, totalMinor, ids: new Set(), ...nothing, isFinal: false };
}

export function count({ counts }: Journal, kind: string, outcome: string): void {
  const outcomes = counts.get(kind) ?? new Map<string, number>();
  counts.set(kind, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
}

/** What is known after one more attempt: once "yes", always; a lost answer spoils a "no". */
export function after(before: Known, attempt: Known): Known {
  if (before === "yes" || attempt === "yes") return "yes";
  return before === "maybe" || attempt === "maybe" ? "maybe" : "no";
}

/** One line a kind, for who reads the test's output. */
export function summaryOf({ counts }: Journal): string[] {
  return [...counts].map(([kind, outcomes]) => {
    const each = [...outcomes].sort().map(([outcome, number]) => `${number} × ${outcome}`);
    return `${kind}: ${each.join(", ")}`;
  });
}
