/** When an address is left alone because its calls keep failing. Pure; times are passed in. */
export interface AddressHealth {
  /** Failures since the last success; an ejection does not reset them, so that the next one counts at once. */
  readonly failuresInARow: number;
  /** Ejections that followed one another; each doubles the time out. */
  readonly ejections: number;
  /** Out until then, on the caller's clock. */
  readonly ejectedUntilMs: number;
}

/** An address nothing is held against. */
export const healthyAddress: AddressHealth = {
  failuresInARow: 0,
  ejections: 0,
  ejectedUntilMs: Number.NEGATIVE_INFINITY,
};

/** One failure may be chance, and a failing address answers fast and so draws calls: three are enough. */
const FAILURES_TO_EJECT = 3;
const FIRST_EJECTION_MS = 1_000;
const LONGEST_EJECTION_MS = 30_000;
/** Good for this long after an ejection, an address starts afresh. */
const FORGIVEN_AFTER_MS = 60_000;

export function isEjected(health: AddressHealth, nowMs: number): boolean {
  return nowMs < health.ejectedUntilMs;
}

/** After an answer that came from the service itself. */
export function afterSuccess(health: AddressHealth, nowMs: number): AddressHealth {
  if (health.ejections > 0 && nowMs - health.ejectedUntilMs > FORGIVEN_AFTER_MS) {
    return healthyAddress;
  }
  return health.failuresInARow === 0 ? health : { ...health, failuresInARow: 0 };
}

/** After a connection came to be: whoever accepts one is back. The next failure counts at once all the same. */
export function afterConnection(health: AddressHealth): AddressHealth {
  return { ...health, ejectedUntilMs: healthyAddress.ejectedUntilMs };
}

/**
 * After a failed connection or call. Out for U(0.5, 1) · min(30 s, 1 s · 2ⁿ) after three in a row, and
 * after the first one of an address that has just come back.
 * @param random a number from 0 up to 1.
 */
export function afterFailure(health: AddressHealth, nowMs: number, random: number): AddressHealth {
  const failuresInARow = health.failuresInARow + 1;
  if (isEjected(health, nowMs) || failuresInARow < FAILURES_TO_EJECT) {
    return { ...health, failuresInARow };
  }
  const longestMs = Math.min(LONGEST_EJECTION_MS, FIRST_EJECTION_MS * 2 ** health.ejections);
  const ejectedUntilMs = nowMs + longestMs * (0.5 + random / 2);
  return { failuresInARow, ejections: health.ejections + 1, ejectedUntilMs };
}
