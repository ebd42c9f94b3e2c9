/*
 * The numbers of the edge that are no settings, each with its reason. What an operator may change
 * stands in config.ts.
 */

/** Largest request body. No message of ours comes near it. */
export const maxBodyBytes = 1024 * 1024;
/** Bodies up to this size are read whoever else sends one: our largest message has 20 KiB. */
export const maxSmallBodyBytes = 64 * 1024;
/** Pieces in which a body comes: a MiB in 512 bytes each. One of single bytes costs 400 times what it holds. */
export const maxBodyPieces = 2_048;
/** Larger bodies read at a time, the others wait: 8 MiB whatever comes. 1024 of them would fill any container. */
export const largeBodyPlaces = 8;
/**
 * So much of a body that nobody wants is still read and thrown away behind the answer, so that a client
 * which writes first and reads then finds it instead of a connection reset.
 */
export const maxDiscardedBytes = 16 * 1024 * 1024;
/** How long that may take: 16 MiB at 27 Mbit/s. */
export const lingerMs = 5_000;
/** Who sends nothing for so long has had the answer: several round trips across a continent. */
export const lingerIdleMs = 1_000;
/** Deepest nesting of a JSON body. Our messages go four deep; protobuf itself stops at 100. */
export const maxJsonDepth = 64;
/** Values in a JSON body. Our largest message has some 400; a million of them keep the process busy for a second. */
export const maxJsonValues = 10_000;
/**
 * Largest body that is not plain JSON. Its values cannot be counted before they are read, and a MiB of
 * the smallest ones keeps the process busy for half a second; our largest message has 20 KiB.
 */
export const maxBinaryBodyBytes = maxSmallBodyBytes;
/** Violations told at once. A body can hold a hundred thousand, and nobody reads more than these. */
export const maxViolations = 20;
/**
 * Listeners for one event of a response, beyond which Node.js warns of a leak. Its end concerns a dozen steps of
 * a request's way once, with a stream and tracing; Node's ten would have each such stream warn.
 */
export const maxResponseListeners = 20;
/** All request headers together: a token and a cookie take 1 KiB, the rest is tracking and proxies. */
export const maxHeaderBytes = 16 * 1024;
/** Longest user agent that is handed on; what a session shows of it is no longer. */
export const maxDeviceLength = 200;

/** Whoever needs longer to send the headers keeps a connection busy on purpose (slowloris). */
export const headersTimeoutMs = 5_000;
/** The whole request, body included: 1 MiB at 70 KiB/s. */
export const requestTimeoutMs = 15_000;
/** How often the two above are checked; Node's 30 s would make them meaningless. */
export const connectionsCheckingIntervalMs = 1_000;
/** Longer than the 60 s of common load balancers, which must be the ones to close first. */
export const keepAliveTimeoutMs = 75_000;

/** Answers smaller than this grow by compression, or gain less than a packet. */
export const compressFromBytes = 1024;
/** How long a browser may remember a preflight: Chromium's own limit. */
export const preflightMaxAgeSeconds = 7_200;
/** How long the public keys may be cached: half the time that a key is published before it signs. */
export const jwksMaxAgeSeconds = 30;

/** A command lost for so long is given up, and what else waits for the connection with it. */
export const redisCommandTimeoutMs = 1_000;
/** A Redis that needs longer for a rate limit is worse than none. */
export const limiterTimeoutMs = 50;
/** Keys charged in one call. It keeps Redis from others for some 3 µs a key. */
export const limiterKeysAtOnce = 64;
/** While Redis is away it is tried again so often; meanwhile each process counts alone. */
export const limiterProbeMs = 1_000;
/** How long the clock of Redis is taken to run as ours does: a step of it is noticed after that. */
export const limiterClockMs = 10_000;
/** Keys counted locally, the least recently used forgotten first: about 10 MiB. */
export const limiterLocalKeys = 50_000;

/** Wait for one answer to a refresh. Well above its usual 3 ms, well below a user's patience. */
export const refreshTimeoutMs = 800;
/** A confirmation carries no answer that anybody waits for. */
export const confirmTimeoutMs = 2_000;
/** Pauses before a confirmation is tried again. */
export const confirmRetriesMs = [100, 1_000, 5_000];
/** Longest wait for Redis at the start. Without it the gateway serves what needs no revocations. */
export const revocationsPatienceMs = 2_000;
/** Not knowing for longer what was revoked, nothing is changed on the word of a token alone. */
export const maxRevocationSilenceMs = 5_000;
/** Streams are looked after so often: a revoked token ends them as it ends everything else. */
export const revocationCheckMs = 1_000;
/**
 * Streams open at once, beside the requests of MAX_CONCURRENT_REQUESTS: as many as an upstream takes. 2,000
 * of them took 120 KiB each here (e2e/stress/watchers.stress.ts).
 */
export const maxConcurrentStreams = 3_072;
/**
 * Streams of a user at once, over both faces. A browser opens six connections to a host at most, so its
 * tabs have no more; two are left for a phone and a script.
 */
export const maxStreamsPerUser = 8;
/** Whoever takes nothing of a stream for so long, with a full buffer between, is not there any more. */
export const slowClientMs = 15_000;
/** Clients of `text/event-stream` come back after a time from this … */
export const reconnectMinMs = 1_000;
/** … to this, so that those who were cut together don't come back together. */
export const reconnectMaxMs = 3_000;
/** Longest timeout that a client may ask for: what `setTimeout` can hold, 24 days. */
export const maxTimeoutMs = 0x7fff_ffff;
/** Confirmations under way at once; more than this means that the user-service is in trouble. */
export const maxConfirmations = 64;
/** Generations remembered as confirmed; forgetting one costs one needless call. */
export const maxRememberedGenerations = 10_000;

/** `Retry-After` of a throttled request is spread from this … */
export const throttleRetryMinMs = 1_000;
/** … to this, so that those turned away don't come back all at once. */
export const throttleRetryMaxMs = 3_000;

/** From the signal on clients are sent away: balancers that poll readiness each second need to notice. */
export const lameDuckMs = 1_100;
/** Just before the port closes they are not, so that nobody is on the way to a new connection then. */
export const holdMs = 400;
/** Connections accepted last may still bring their request: a round trip across a continent. */
export const lastRequestsMs = 200;
/** How long requests under way may take once the port is closed. */
export const drainMs = 20_000;

/** Time between two samples of the health that administrators see: fine enough to watch a breaker open. */
export const healthSampleMs = 5_000;
/** Samples kept, five minutes of them: what fits into a picture. */
export const healthSamples = 60;
/** Routes told of at most. All that the schema has, and room for as many. */
export const maxHealthRoutes = 50;
