import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { v7 as uuidv7 } from "uuid";
import type { Rotation, SessionTimes } from "../src/session-store.ts";
import type { Random } from "./random.ts";
import { storeWithTurnedClock } from "./turned-clock.ts";

const seconds = 1_000;
const hours = 3_600 * seconds;
export const historyTimes: SessionTimes = {
  rotateAfterMs: 60 * seconds,
  graceMs: 15 * seconds,
  idleMs: 7 * 24 * hours,
  absoluteMs: 3_000 * 24 * hours,
};
/** The grace covers requests that take at most half of it: one overtakes another, on either way. */
const maxUnderWayMs = historyTimes.graceMs / 2;

/** A request of the honest client: sent with a key, then seen by the service, then answered. */
interface Request {
  readonly key: number;
  readonly sentAt: number;
  answer?: Rotation;
}

/** What a history is made of. */
export interface Cast {
  /** Somebody copies the client's key now and then, and uses what comes of it. */
  readonly thief: boolean;
  /** Redis loses the last write now and then. */
  readonly failovers: boolean;
}

/**
 * A session over a while, with everything that may happen to it: two tabs that share a cookie, answers
 * that are late or lost, retries, clocks that jump, a thief. It runs against the real scripts, and
 * throws with what has happened when something did that must not.
 */
export class SessionHistory {
  readonly #redis: RedisClient;
  readonly #random: Random;
  readonly #cast: Cast;
  readonly #userId = uuidv7();
  readonly #sessionId = uuidv7();
  readonly #world: ReturnType<typeof storeWithTurnedClock>;
  readonly #events: string[] = [];
  readonly #requests: Request[] = [];
  readonly #stolen = new Set<number>();
  /** Generations whose key or token somebody has shown to have. */
  readonly #proven = new Set<number>([0]);
  readonly #handedOutAt = new Map<number, number>();
  #now = 1_800_000_000_000;
  #cookie = 0;
  #token = 0;
  #latest = 0;
  #ended = false;
  #backup: { dump: Buffer; latest: number } | undefined;
  /** How often what happened. */
  readonly outcomes = new Map<string, number>();

  constructor(redis: RedisClient, random: Random, cast: Cast) {
    this.#redis = redis;
    this.#random = random;
    this.#cast = cast;
    this.#world = storeWithTurnedClock(redis, historyTimes);
  }

  async run(steps: number): Promise<void> {
    const [userId, sessionId] = [this.#userId, this.#sessionId];
    this.#world.turn(userId, sessionId, this.#now);
    const client = { device: "", ip: "" };
    await this.#world.store.create({ userId, sessionId, epoch: 0, client });
    for (let step = 0; step < steps; step++) await this.#step();
  }

  async #step(): Promise<void> {
    const { failovers, thief } = this.#cast;
    const steps = [
      ...[this.#send, this.#send, this.#arrive, this.#arrive, this.#arrive],
      ...[this.#answer, this.#answer, this.#useToken, this.#passTime, this.#passTime],
      ...(failovers ? [this.#failover] : []),
      ...(thief ? [this.#steal, this.#steal] : []),
    ];
    await this.#random.pick(steps)?.call(this);
  }

  #send(): void {
    if (this.#requests.length >= 4) return;
    this.#requests.push({ key: this.#cookie, sentAt: this.#now });
    this.#log(`client sends key ${this.#cookie}`);
  }

  /** The service sees a request, maybe for the second time: the gateway retries. */
  async #arrive(): Promise<void> {
    const request = this.#random.pick(this.#requests);
    if (request === undefined) return;
    request.answer = await this.#show(request.key, "client");
    if (!("generation" in request.answer) && !this.#ended && this.#stolen.size === 0)
      this.#fail("an honest client was logged out");
  }

  /** An answer reaches the client, or gets lost. */
  #answer(): void {
    const index = this.#requests.findIndex(({ answer }) => answer !== undefined);
    const [request] = index < 0 ? [] : this.#requests.splice(index, 1);
    if (request?.answer === undefined || !("generation" in request.answer)) return;
    const { outcome, generation } = request.answer;
    const isLost = this.#random.chance(0.3);
    this.#log(`the answer ${generation} ${isLost ? "is lost" : "arrives"}`);
    if (isLost) return;
    if (outcome !== "fresh") this.#cookie = generation;
    this.#token = generation;
  }

  /** The gateway sees the client's token and confirms its generation. */
  async #useToken(): Promise<void> {
    await this.#confirm(this.#token);
  }

  async #confirm(generation: number): Promise<void> {
    const [userId, sessionId] = [this.#userId, this.#sessionId];
    await this.#world.store.confirm({ userId, sessionId, generation });
    if (generation === this.#latest) this.#proven.add(generation);
    this.#log(`confirmed ${generation}`);
  }

  #passTime(): void {
    const { below, chance } = this.#random;
    if (chance(0.1)) {
      this.#now -= below(hours);
      this.#log("the clock is set back");
    } else {
      // Requests that took too long are given up, seen by the service or not.
      if (chance(0.5)) this.#requests.length = 0;
      const oldest = Math.min(this.#now, ...this.#requests.map(({ sentAt }) => sentAt));
      const slack = oldest + maxUnderWayMs - this.#now;
      const longest = this.#requests.length > 0 ? slack : chance(0.2) ? 48 * hours : 200_000;
      this.#now += below(longest + 1);
      this.#log("time passes");
    }
    for (const [index, request] of this.#requests.entries())
      this.#requests[index] = { ...request, sentAt: Math.min(request.sentAt, this.#now) };
  }

  /** A replica takes over that lacks the last rotation. Nothing is under way: connections were cut. */
  async #failover(): Promise<void> {
    const key = `auth:s:{${this.#userId}}:${this.#sessionId}`;
    if (this.#backup === undefined || this.#random.chance(0.5)) {
      const dump = await this.#redis.dumpBuffer(key);
      if (dump !== null) this.#backup = { dump, latest: this.#latest };
    } else if (this.#requests.length === 0 && this.#backup.latest >= this.#latest - 1) {
      await this.#redis.restore(key, historyTimes.idleMs, this.#backup.dump, "REPLACE");
      this.#log("failover");
    }
  }

  async #steal(): Promise<void> {
    if (this.#stolen.size === 0 || this.#random.chance(0.3)) {
      this.#stolen.add(this.#cookie);
      this.#log(`thief copies key ${this.#cookie}`);
      return;
    }
    const key = this.#random.pick([...this.#stolen]) ?? 0;
    const rotation = await this.#show(key, "thief");
    if (!("generation" in rotation)) return;
    this.#stolen.add(rotation.generation);
    if (this.#random.chance(0.5)) await this.#confirm(rotation.generation);
  }

  async #show(generation: number, who: string): Promise<Rotation> {
    const [userId, sessionId] = [this.#userId, this.#sessionId];
    const before = this.#latest;
    for (const [each, at] of this.#handedOutAt)
      this.#handedOutAt.set(each, Math.min(at, this.#now));
    this.#world.turn(userId, sessionId, this.#now);
    const rotation = await this.#world.store.rotate({ userId, sessionId, generation }, 0, "");
    this.#log(`${who} shows ${generation}: ${JSON.stringify(rotation)}`);
    this.outcomes.set(rotation.outcome, (this.outcomes.get(rotation.outcome) ?? 0) + 1);
    if ("generation" in rotation) this.#goesOn(generation, before, rotation);
    else this.#ends(rotation.outcome);
    return rotation;
  }

  #goesOn(
    shown: number,
    before: number,
    { outcome, generation }: Rotation & { generation: number },
  ) {
    if (this.#ended) this.#fail("a session that had ended went on");
    if (generation < before && !this.#cast.failovers) this.#fail("the generation went back");
    if (shown < before && !this.#cast.failovers && this.#isDoneWith(before, shown))
      this.#fail("a key outlived the use of its successor");
    if (outcome === "fresh") this.#proven.add(generation);
    if (outcome === "rotated" || (outcome === "replayed" && !this.#proven.has(generation)))
      this.#handedOutAt.set(generation, this.#now);
    this.#latest = Math.max(this.#latest, generation);
  }

  /** Whether a key before the latest may not open anything any more. */
  #isDoneWith(latest: number, shown: number): boolean {
    if (shown < latest - 1) return true;
    const handedOutAt = this.#handedOutAt.get(latest) ?? this.#now;
    return this.#proven.has(latest) && this.#now - handedOutAt > historyTimes.graceMs;
  }

  #ends(outcome: string): void {
    if (outcome === "gone" && !this.#ended) this.#fail("a session got lost");
    this.#ended = true;
  }

  #log(event: string): void {
    this.#events.push(`${this.#now} ${event}`);
  }

  #fail(what: string): never {
    throw new Error(`${what}:\n${this.#events.join("\n")}`);
  }
}
