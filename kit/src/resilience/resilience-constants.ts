/*
 * The numbers behind the client to a service, each with its reason. They are no settings: whoever
 * changes one should have measured something, and says so here.
 */

/** When a breaker trips, how long it stays open, what closes it. */
export const breakerRules = {
  /** Width of a slice of the window. A second is fine enough to forget a bad moment soon. */
  bucketMs: 1_000,
  /** Slices in the window: 10 s hold enough calls to judge, and end before people give up. */
  buckets: 10,
  /** Fewer calls in the window than this say nothing about a ratio. */
  minCalls: 20,
  /** Share of failed calls that trips. Below a half, retries still carry most callers through. */
  failureRatio: 0.5,
  /** Share of slow calls that trips. High, since a slow answer is still an answer. */
  slowRatio: 0.8,
  /** Failures in a row that trip, for an upstream with too few calls for a ratio. */
  failuresInARow: 6,
  /** The first open time, before jitter: about what a process takes to start again. */
  openMs: 5_000,
  /** The open time doubles up to this: a minute is the longest that a recovery goes unnoticed. */
  maxOpenMs: 60_000,
  /** Closed for this long, and the open time starts over: the trouble was another one. */
  forgetAfterMs: 60_000,
  /** Calls let through to see whether the upstream is back; as many successes close. */
  leases: 3,
  /** Time beyond its deadline after which a lease counts as failed: its caller is lost. */
  leaseGraceMs: 250,
  /** Transitions kept for `GET /breakers`. */
  keptTransitions: 20,
} as const;

/**
 * Share of an upstream's timeout that says something about the upstream: who had less and ran out
 * of time was in a hurry, who needed more was slow.
 */
export const telltaleShareOfTimeout = 0.5;

/** How often and when a call is sent again. */
export const retryRules = {
  /** Attempts in all. A third one helps, a fourth only adds load. */
  maxAttempts: 3,
  /** Upper bound of the first pause: longer than a hiccup of the event loop or of a connection. */
  baseMs: 50,
  /** Upper bound of any pause: nobody waits longer at the edge. */
  maxMs: 1_000,
  /** Tokens of a full budget, and what an attempt costs or earns: gRFC A6, retryThrottling. */
  maxTokens: 100,
  /** What a success earns: so at most about one attempt in ten is a retry in the long run. */
  tokenRatio: 0.1,
} as const;

/** The adaptive bound on calls under way. */
export const concurrencyRules = {
  /** Where to start: by Little's law 10,000 calls/s of 10 ms each. */
  startLimit: 100,
  /** Never fewer: enough to keep two cores of an upstream busy, and to notice its recovery. */
  minLimit: 8,
  /** Never more: half of the gateway's own bound, so that one upstream cannot take it all. */
  maxLimit: 512,
  /** Least time between two changes, above a round trip, so that a change shows before the next. */
  windowMs: 100,
  /** Fewer calls in a window than this say nothing: the window goes on. */
  minSamples: 10,
  /** A call is late at this many times the least recent latency of its method ... */
  lateFactor: 2,
  /**
   * ... plus this much: the queue that may stand in the upstream, a twentieth of a deadline of 5 s. With
   * 10 ms the event loop of a busy caller alone made calls late: a healthy upstream with 200 callers was
   * brought down to a limit of 33, and half of the calls were turned away.
   */
  lateSlackMs: 250,
  /** What the limit grows by in a window: from its least to its most in five seconds. */
  increase: 10,
  /** What is left of the limit after a window in which all calls were late: to its least in four. */
  decrease: 0.9,
  /** How long a least latency is remembered, at least; at most twice as long. */
  baselineMs: 30_000,
  /**
   * Calls that are late for this long although the limit is at its least are the usual thing. As long as a
   * call may take: none that was sent under a higher limit, and stood in its queue, is still to come.
   */
  getUsedAfterMs: 5_000,
  /** Longest wait for a turn: longer, and the answer would no longer be worth the wait. */
  maxWaitMs: 1_000,
  /** Longest wait as a share of what is left of the deadline: the rest is for the call itself. */
  maxWaitShare: 0.25,
} as const;

/**
 * Streams open to an upstream at once. With the unary calls they fit into the 4,096 that a connection
 * to one of our servers carries, even when only one address is left.
 */
export const maxStreams = 3_072;

/** When to come back after a rejection of ours. */
export const rejectionRules = {
  /** Soonest time to come back to an upstream with too much to do: a turn's longest wait. */
  retryAfterMs: 1_000,
  /** Up to this is added at random, so that those turned away together don't come back together. */
  jitterMs: 2_000,
} as const;
