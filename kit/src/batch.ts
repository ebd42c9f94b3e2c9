interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (answer: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Asks for what comes in one turn of the event loop together, at most `maxItems` at once. Who comes alone
 * waits no longer than without; in a crowd a round trip is shared.
 *
 * @param ask answers in the order of the items; a failure is that of all of them
 */
export function batched<I, O>(
  maxItems: number,
  ask: (items: readonly I[]) => Promise<readonly O[]>,
): (item: I) => Promise<O> {
  let waiting: Waiting<I, O>[] = [];

  function send(): void {
    const batch = waiting;
    waiting = [];
    ask(batch.map(({ item }) => item)).then(
      (answers) => {
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as O);
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  }
  /** Nothing waits when it was sent before, since it was full. */
  function sendRest(): void {
    if (waiting.length > 0) send();
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(sendRest);
      waiting.push({ item, resolve, reject });
      if (waiting.length >= maxItems) send();
    });
}
