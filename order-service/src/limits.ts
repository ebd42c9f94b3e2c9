/** Constants of the order-service, with their reasons. What an operator may turn is in config.ts. */

/** Orders on a page when the client names no size: fills a screen, and is one read of an index leaf. */
export const defaultPageSize = 20;

/** Orders that one query reads for as many calls. A crowd shares its round trip; nobody waits long for it. */
export const ordersAtOnce = 64;

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

/**
 * How long changes are kept for those who resume: longer than a laptop's way between two meetings.
 * Whoever comes later loads the list again, which is one request.
 */
export const changesKeptMs = 60 * 60 * 1000;

/** And so many at most, of some 0.5 KiB each: a burst must not fill the disk. */
export const changesKeptRows = 100_000;

/** How often what need not be kept is removed. */
export const changeSweepEveryMs = 60 * 1000;

/** Changes read at once: some 10 ms of work, after which others get their turn. */
export const changesAtOnce = 500;

/** Notices are a hint and may be lost; so long it takes then until a change is told. */
export const changePollMs = 1_000;

/** Pause after changes were found. Those of the meantime come together, so a crowd costs no more reads. */
export const changePauseMs = 10;

/** Changes that wait for a transaction under way are looked for again so soon; it seldom takes longer. */
export const unsettledRetryMs = 20;

/** Notices of one process are at least so far apart. Each is a transaction with a lock for all of PostgreSQL. */
export const noticePauseMs = 10;

/** A sign of life on a quiet stream: often enough for proxies and phone networks, which cut after 30 s or more. */
export const heartbeatMs = 15_000;

/** How often it is looked whether tokens of those who watch still hold: as often as at the gateway. */
export const tokenCheckMs = 1_000;

/**
 * Streams of one user in this process. A browser opens six connections to a host at most, so its tabs
 * have no more; two are left for a phone and a script.
 */
export const watchersPerUser = 8;

/**
 * Streams in this process: as many as one gateway opens, so that one copy can carry them while others are
 * away. 2,000 of them took 100 KiB each here (e2e/stress/watchers.stress.ts).
 */
export const watchersPerProcess = 3_072;

/** Changes that wait for a reader: a slow one gets a moment, and holds no more than its share of memory. */
export const changesPerReader = 256;
