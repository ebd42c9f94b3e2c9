import { randomUUID } from "node:crypto";

/** `00-<trace id>-<span id>-<flags>`, neither id all zeros (W3C Trace Context, level 1). */
const wellFormed = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;
const length = 55;

export function isTraceparent(text: string): boolean {
  return wellFormed.test(text);
}

/** A context of its own for a request that came without: not sampled. */
export function newTraceparent(): string {
  return `00-${traceId()}-${spanId()}-00`;
}

/** Of a well-formed context. Nothing of what is not even as long as one. */
export function traceIdOf(traceparent: string | null | undefined): string | undefined {
  return traceparent?.length === length ? traceparent.slice(3, 35) : undefined;
}

/** Whether whoever sent the context records the trace. False for what is not well formed. */
export function isSampled(traceparent: string): boolean {
  return isTraceparent(traceparent) && (Number.parseInt(traceparent.slice(53), 16) & 1) === 1;
}

/** The trace id if somebody records the trace. */
export function recordedTraceIdOf(traceparent: string): string | undefined {
  return isSampled(traceparent) ? traceIdOf(traceparent) : undefined;
}

// By way of UUIDs, of which Node.js makes many at once. To ask for a few random bytes costs ten times as much.
const traceId = () => randomUUID().replaceAll("-", "");
const spanId = () => randomUUID().slice(19).replace("-", "");
