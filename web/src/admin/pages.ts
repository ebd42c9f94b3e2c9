import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Failure, failureOf } from "../api/failure.ts";

interface PageOf<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

/** A list that comes in pages. */
export interface Pages<T> {
  /** What has come; `undefined` before the first page. */
  readonly items: ReadonlySignal<readonly T[] | undefined>;
  readonly failure: ReadonlySignal<Failure | undefined>;
  readonly hasMore: { readonly value: boolean };
  /** Starts over with the first page. */
  reload(): void;
  more(): Promise<void>;
  /** Puts an item in the place of another, or takes it out. */
  replace(item: T, next: T | undefined): void;
}

/** Loads pages, from the first one again whenever one of `changes` does. */
export function usePages<T>(
  fetchPage: (pageToken: string) => Promise<PageOf<T>>,
  changes: readonly unknown[],
): Pages<T> {
  const items: Signal<readonly T[] | undefined> = useSignal<readonly T[] | undefined>(undefined);
  const failure = useSignal<Failure | undefined>(undefined);
  const next = useSignal("");
  /** Only the answer to the latest question counts. */
  const latest = useRef(0);

  async function load(pageToken: string): Promise<void> {
    const turn = ++latest.current;
    try {
      const page = await fetchPage(pageToken);
      if (turn !== latest.current) return;
      items.value = pageToken === "" ? page.items : [...(items.value ?? []), ...page.items];
      next.value = page.nextPageToken;
      failure.value = undefined;
    } catch (error) {
      if (turn === latest.current) failure.value = failureOf(error);
    }
  }

  useEffect(() => {
    items.value = undefined;
    next.value = "";
    void load("");
  }, changes);

  return {
    items,
    failure,
    hasMore: {
      get value() {
        return next.value !== "";
      },
    },
    reload: () => void load(""),
    more: () => load(next.value),
    replace(item, other) {
      items.value = items.value?.flatMap((each) =>
        each !== item ? [each] : other === undefined ? [] : [other],
      );
    },
  };
}
