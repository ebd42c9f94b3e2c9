/** Constants of the order-service, with their reasons. What an operator may turn is in config.ts. */

/** Orders on a page when the client names no size: fills a screen, and is one read of an index leaf. */
export const defaultPageSize = 20;

/** How long a repeat gets the first answer. A client that has not heard for a day has given up. */
export const idempotencyKeptMs = 24 * 60 * 60 * 1000;

/** How often forgotten idempotency keys are removed. An expired key is not believed meanwhile. */
export const sweepEveryMs = 10 * 60 * 1000;

/**
 * Rows removed in one statement. Some 10 ms of work, far below the statement timeout, so that neither
 * a user with a million orders nor a long-neglected table holds up anybody else.
 */
export const removalBatch = 1000;

/**
 * How often a change of status without a version starts over because another change came between.
 * A status can change once, so the second try meets a final one; the third is for good measure.
 */
export const statusAttempts = 3;

/** Redis only tells of revocations here, and no call waits for it. */
export const redisCommandTimeoutMs = 500;

/** After that the process starts without Redis, and says so. */
export const redisPatienceMs = 2_000;

/**
 * No statement here has to sort: what is listed in an order has an index in that order. A plan that
 * serves all values expects a user to have few orders, would sort them, and a million are too many.
 */
export const connectionParameters = { enable_sort: "off", enable_incremental_sort: "off" };
