import { availableParallelism } from "node:os";

// What is not a setting, with the reason. Times in milliseconds unless the name says otherwise.

/** A user's sessions; one more ends the oldest. More devices than a person has, few enough to list. */
export const maxSessionsPerUser = 20;
/**
 * Sessions that a user may revoke by id within a token's life although they are not there: as many as may
 * have been there a moment ago. Each revocation is a row, and a place in everybody's memory.
 */
export const maxAbsentRevocations = maxSessionsPerUser;
/** Longer user agents say nothing more to a person who looks at a list of sessions. */
export const maxDeviceLength = 200;

/**
 * A revocation is kept for a token's life and this: what the clocks of issuer and verifier may differ
 * (30 s, as the verifier allows), and a login that was under way when its user was revoked.
 */
export const revocationMarginMs = 60_000;
/** How long Redis remembers a user's raised epoch: longer than any call that read the one before. */
export const epochFloorMs = 120_000;

/** One hash takes 25 ms of a core; a refresh, which waits 800 ms at most, must get through. */
export const redisCommandTimeoutMs = 500;
/** After that the process starts without Redis, and says so. */
export const redisPatienceMs = 2_000;

/** What a hash costs. Memory is in KiB. */
export interface Argon2Parameters {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}
/**
 * argon2id with 19 MiB, two passes and one lane: OWASP's first choice, some 25 ms.
 */
export const argon2Parameters: Argon2Parameters = {
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
};
/** Hashes at a time: one core stays free of them for the event loop, which everybody else waits for. */
export const maxHashesAtOnce = Math.min(4, Math.max(1, availableParallelism() - 1));
/** So long the process that hashes stays without work. It keeps some 60 MiB, and starts in 0.1 s. */
export const hashingIdleMs = 60_000;
/** A process that needs longer for a hash hangs, and is replaced: twice as long as any call waits. */
export const hashDeadlineMs = 10_000;
/** At 25 ms each, the last one in the queue waits 1.6 s on two cores: still worth its while. */
export const maxQueuedHashes = 64;
/**
 * Where a hash takes longer, the queue must still not: at half of a call's 5 s the gateway takes all of
 * the user-service for slow, and a flood of logins would shut out everybody else.
 */
export const maxHashWaitMs = 1_800;
/** What is left of a full queue after that is worth trying again. */
export const hashingRetryAfterMs = 1_000;

/** Ed25519 keys are published so long before they sign: twice the longest time in which a verifier does not ask again. */
export const publishKeyAheadMs = 60_000;
/** Each copy looks so often for keys that another one made. Several times within `publishKeyAheadMs`. */
export const reloadKeysEveryMs = 10_000;

/**
 * A key that signs no more is kept for a session's absolute life and this: the longest life of a
 * token, so that an expired one that comes with a cookie is still seen to be genuine.
 */
export const retiredKeyMarginMs = 3_600_000;

/** The relay looks so often for what a process left undone, and for Redis to come back. */
export const relayEveryMs = 500;
/** A revocation that is younger is still in the hands of the process that decided it. */
export const revocationLeaseMs = 1_000;
/** Revocations told to Redis in one go. */
export const revocationBatch = 500;
/** Users handed to the order-service in one go. */
export const purgeBatch = 10;
/**
 * A purge that was taken and not finished is taken again after the longest call (UPSTREAM_TIMEOUT_MS) and
 * this: what PostgreSQL may take to be told of the answer.
 */
export const purgeLeaseMarginMs = 5_000;
/** Waits between attempts to purge: from the first to the longest, doubling. */
export const purgeBackoffMs = { first: 500, longest: 60_000 } as const;

/** How failed logins slow down the next ones. */
export interface ThrottleRule {
  /** Failures without any wait. */
  readonly free: number;
  /** The wait after the first one beyond; it doubles with each more. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Failures are forgotten so long after the last one and its wait. */
  readonly forgetAfterMs: number;
}

const forgetAfterMs = 15 * 60_000;
/** One network at one account: somebody who mistypes has five goes, a guesser some 100 a day. */
export const pairThrottle: ThrottleRule = {
  free: 5,
  firstWaitMs: 1_000,
  longestWaitMs: 15 * 60_000,
  forgetAfterMs,
};
/** All the world at one account. The owner may be locked out by others for a minute at most. */
export const accountThrottle: ThrottleRule = {
  free: 30,
  firstWaitMs: 1_000,
  longestWaitMs: 60_000,
  forgetAfterMs,
};
/** One network at all accounts. Hundreds of people may sit behind one address. */
export const networkThrottle: ThrottleRule = {
  free: 100,
  firstWaitMs: 1_000,
  longestWaitMs: 5 * 60_000,
  forgetAfterMs,
};
