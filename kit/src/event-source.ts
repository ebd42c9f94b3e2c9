/** An event of `text/event-stream`, as its consumer sees it. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: unknown;
  /** The last id so far, which may have come without an event. */
  readonly lastEventId: string;
}

/** A stream of events that is being read. */
export interface EventReader {
  readonly response: Response;
  /** Blocks as they came, comments and `retry` included. */
  readonly blocks: AsyncIterator<string>;
  /** Resolves with the first id: the stream has begun, and can be resumed from there. */
  begun(): Promise<void>;
  /** The next event; `undefined` at the end. */
  next(): Promise<ServerSentEvent | undefined>;
  readonly lastEventId: string;
  /** How long the server wants clients to wait before they come back. */
  readonly retryMs: number | undefined;
  leave(): void;
}

/** For tests: reads events as a browser would (WHATWG HTML, 9.2.6), and all that it would not show. */
export async function readEvents(
  url: string,
  headers: Record<string, string> = {},
): Promise<EventReader> {
  const controller = new AbortController();
  const response = await fetch(url, { headers, signal: controller.signal });
  const blocks = blocksOf(response);
  let lastEventId = headers["last-event-id"] ?? "";
  let retryMs: number | undefined;

  function take(block: string): ServerSentEvent | undefined {
    let event = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
      if (name === "event") event = value;
      else if (name === "data") data.push(value);
      else if (name === "id") lastEventId = value;
      else if (name === "retry") retryMs = Number(value);
    }
    if (data.length === 0) return undefined;
    return { event, data: JSON.parse(data.join("\n")), lastEventId };
  }

  const waiting: ServerSentEvent[] = [];
  /** False at the end. */
  async function read(): Promise<boolean> {
    const { value, done } = await blocks.next();
    const event = done ? undefined : take(value);
    if (event !== undefined) waiting.push(event);
    return !done;
  }

  return {
    response,
    blocks,
    async begun() {
      while (lastEventId === "" && (await read()));
    },
    async next() {
      while (waiting.length === 0 && (await read()));
      return waiting.shift();
    },
    get lastEventId() {
      return lastEventId;
    },
    get retryMs() {
      return retryMs;
    },
    leave: () => controller.abort(),
  };
}

async function* blocksOf({ body }: Response): AsyncGenerator<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    yield* blocks;
  }
}
