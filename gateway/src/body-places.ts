/**
 * Lets so many large bodies come at a time. The others wait where they are, in the client and in the
 * kernel, and come in the order in which they asked.
 */
export class BodyPlaces {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Calls back once there is a place, at once if there is one.
   *
   * @returns what leaves the place or the queue, to be called once
   */
  take(onPlace: () => void): () => void {
    if (this.#free > 0) {
      this.#free--;
      onPlace();
    } else this.#waiting.add(onPlace);
    return () => {
      if (!this.#waiting.delete(onPlace)) this.#leave();
    };
  }

  /** Hands a place to who waits longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) return void this.#free++;
    this.#waiting.delete(next);
    next();
  }
}
