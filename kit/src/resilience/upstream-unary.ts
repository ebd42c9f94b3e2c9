import { setTimeout as sleep } from "node:timers/promises";
import { Criticality, policy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { lostConnectionOf, neverRan } from "../grpc/error.ts";
import { metadata } from "../rpc/metadata.ts";
import { AttemptSpans } from "../tracing/trace-client-calls.ts";
import { backoffMs } from "./backoff.ts";
import type { Permit } from "./breaker.ts";
import type { Outcome } from "./breaker-circuit.ts";
import { isOverload, isUnexplained, outcomeOf, type Timing, tookLong } from "./outcome.ts";
import { breakerOpen, callerLeft, overloaded, tooLate } from "./rejection.ts";
import { concurrencyRules, retryRules } from "./resilience-constants.ts";
import { settle, type UpstreamParts } from "./upstream-parts.ts";

type Header = Parameters<Transport["unary"]>[3];

/** Unary calls: deadline → breaker → concurrency → retry → gRPC. */
export function createUnary(parts: UpstreamParts): Transport["unary"] {
  return (method, signal, timeoutMs, header, input, contextValues) => {
    const call = new UnaryCall(parts, method, header, signal, timeoutMs);
    const send = (leftMs: number, sent = header) =>
      parts.wire.unary(method, signal, leftMs, sent, input, contextValues);
    const spans = AttemptSpans.of(parts.tracing, method, header);
    if (spans === undefined) return call.run(send);
    return spans.watch(call.run((leftMs) => spans.send((sent) => send(leftMs, sent))));
  };
}

/** One call, in as many attempts as it takes. */
class UnaryCall {
  readonly #parts: UpstreamParts;
  readonly #method: DescMethod;
  readonly #header: Header;
  readonly #signal: AbortSignal | undefined;
  readonly #deadlineAtMs: number;
  /** When the upstream's time began: after any waiting on our side. */
  #turnAtMs: number;

  constructor(
    parts: UpstreamParts,
    method: DescMethod,
    header: Header,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
  ) {
    this.#parts = parts;
    this.#method = method;
    this.#header = header;
    this.#signal = signal;
    this.#turnAtMs = parts.now();
    this.#deadlineAtMs = this.#turnAtMs + Math.min(timeoutMs ?? parts.timeoutMs, parts.timeoutMs);
  }

  async run<T>(send: (leftMs: number) => Promise<T>): Promise<T> {
    if (this.#signal?.aborted) throw callerLeft(this.#signal);
    const { queue } = this.#parts;
    const permit = this.#askBreaker();
    let hasTurn = false;
    try {
      hasTurn = queue.tryEnter() || (await this.#wait());
      const answer = await this.#attempt(permit, send);
      this.#settle(permit, undefined);
      return answer;
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      this.#settle(permit, error);
      throw error;
    } finally {
      // After the breaker knows, so that whoever has the next turn knows, too.
      if (hasTurn) queue.leave();
    }
  }

  #askBreaker(): Permit {
    const { breaker, metrics } = this.#parts;
    const permit = breaker.acquire(this.#leftMs());
    if (permit !== undefined) return permit;
    metrics.rejected();
    throw this.#breakerOpen();
  }

  async #wait(): Promise<true> {
    const { queue, metrics, name, random } = this.#parts;
    const { maxWaitMs, maxWaitShare } = concurrencyRules;
    const waitMs = Math.min(maxWaitMs, this.#leftMs() * maxWaitShare);
    if (await queue.enter(criticalityOf(this.#method), waitMs, this.#signal)) return true;
    if (this.#signal?.aborted) throw callerLeft(this.#signal);
    metrics.overloaded();
    throw overloaded(name, random());
  }

  async #attempt<T>(permit: Permit, send: (leftMs: number) => Promise<T>): Promise<T> {
    const { budget, metrics, now } = this.#parts;
    if (!permit.current) throw this.#breakerOpen();
    this.#turnAtMs = now();
    for (let retry = 0; ; retry++) {
      const startedAtMs = now();
      try {
        const answer = await send(this.#leftMs());
        budget.succeeded();
        this.#answered(startedAtMs);
        return answer;
      } catch (thrown) {
        const error = ConnectError.from(thrown);
        this.#failed(error, startedAtMs);
        if (!this.#mayRetry(error, permit, retry)) throw error;
        await this.#pause(retry, error);
        metrics.retried();
      }
    }
  }

  #answered(startedAtMs: number): void {
    const { limit, queue, now } = this.#parts;
    limit.answered(this.#method, now() - startedAtMs, queue.underWay);
  }

  #failed(error: ConnectError, startedAtMs: number): void {
    const timing = this.#timing(startedAtMs);
    if (isUnexplained(error)) this.#parts.budget.failed();
    else if (isOverload(error, timing)) this.#parts.limit.overloaded();
    else if (outcomeOf(error, timing, this.#signal) === "success") this.#answered(startedAtMs);
  }

  #mayRetry(error: ConnectError, permit: Permit, retry: number): boolean {
    if (!isUnexplained(error) || this.#signal?.aborted) return false;
    if (retry + 1 >= retryRules.maxAttempts || !this.#parts.budget.allows) return false;
    return permit.current && (neverRan(error) || mayRunTwice(this.#method, this.#header));
  }

  /** Waits before a retry. @throws the error if the deadline would pass meanwhile. */
  async #pause(retry: number, error: ConnectError): Promise<void> {
    const pauseMs = backoffMs(retry, this.#parts.random());
    if (pauseMs >= this.#leftMs()) throw error;
    const signal = this.#signal;
    try {
      await sleep(pauseMs, undefined, signal && { signal });
    } catch {
      throw signal?.aborted ? callerLeft(signal) : error;
    }
  }

  #settle(permit: Permit, error: ConnectError | undefined): void {
    const timing = this.#timing(this.#turnAtMs);
    const outcome = error === undefined ? "success" : this.#outcomeOf(error, timing);
    settle(this.#parts, permit, outcome, tookLong(timing));
  }

  /**
   * A connection that is lost takes all its calls with it. That is one failure: else the end of one
   * address would shut out callers of all the others.
   */
  #outcomeOf(error: ConnectError, timing: Timing): Outcome {
    const outcome = outcomeOf(error, timing, this.#signal);
    const lost = lostConnectionOf(error);
    if (outcome !== "failure" || lost === undefined) return outcome;
    if (this.#parts.lostConnections.has(lost)) return "neutral";
    this.#parts.lostConnections.add(lost);
    return "failure";
  }

  /** What is left of the deadline, in whole milliseconds as gRPC counts. @throws if nothing is. */
  #leftMs(): number {
    const leftMs = this.#deadlineAtMs - this.#parts.now();
    if (leftMs <= 0) throw tooLate();
    return Math.ceil(leftMs);
  }

  #timing(sinceMs: number) {
    return { tookMs: this.#parts.now() - sinceMs, timeoutMs: this.#parts.timeoutMs };
  }

  #breakerOpen(): ConnectError {
    const { name, breaker, random } = this.#parts;
    return breakerOpen(name, breaker.openForMs, random());
  }
}

/** True if the schema, or a key of the caller's, makes a repeat harmless. */
function mayRunTwice(method: DescMethod, header: Header): boolean {
  const level = method.idempotency;
  return (
    level === MethodOptions_IdempotencyLevel.IDEMPOTENT ||
    level === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ||
    new Headers(header).has(metadata.idempotencyKey)
  );
}

function criticalityOf(method: DescMethod): Criticality {
  return hasOption(method, policy) ? getOption(method, policy).criticality : Criticality.DEFAULT;
}
