import { Code, ConnectError } from "@connectrpc/connect";
import { databaseUnavailable, sessionStoreUnavailable } from "./failure.ts";

/**
 * What postgres.js, Node's sockets and PostgreSQL itself (SQLSTATE classes 08, 53, 57P and 58) say
 * when there is no database to talk to for now. So do a statement that took too long (57014), a
 * server that is a replica since a failover (25006), and what passes when it is tried again: a lock that
 * was not to be had (55P03), a deadlock (40P01), a conflict (40001), a limit of the server's on idle
 * connections and on transactions (25P03, 25P04, 57P05).
 */
const databaseAway =
  /^(?:CONNECTION_\w+|CONNECT_TIMEOUT|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|08...|25006|25P0[34]|40001|40P01|53...|55P03|57014|57P0[1235]|58...)$/;
/**
 * What ioredis and Redis say when there is no Redis to talk to for now. A Redis that is full (OOM), has
 * no disk or too few replicas to write to, or is busy with a script, is no better to us.
 */
const redisAway =
  /^(?:Command timed out|Command aborted|Socket timeout|Connection is closed|Stream isn't writeable|Reached the max retries|LOADING|READONLY|OOM |MISCONF|NOREPLICAS|BUSY |CLUSTERDOWN|MASTERDOWN|TRYAGAIN|Cluster is(?:n't ready| ended)|None of startup nodes|Too many Cluster redirections)/;
/** What Node.js says of a request that ended before it was whole. */
const requestCut = "ERR_STREAM_PREMATURE_CLOSE";

/**
 * Turns whatever a handler threw into the error that leaves the service: one that was meant passes,
 * a store that is away is `unavailable` with its reason, a client that is lost in the middle of what it
 * sends is `canceled`, anything else is `internal` and says nothing.
 */
export function toConnectError(thrown: unknown): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  for (const error of causes(thrown)) {
    if (redisAway.test(error.message)) return sessionStoreUnavailable();
    if (!("code" in error)) continue;
    if (databaseAway.test(String(error.code))) return databaseUnavailable();
    if (error.code === requestCut) return new ConnectError("the client has left", Code.Canceled);
  }
  return new ConnectError("internal error", Code.Internal, undefined, undefined, thrown);
}

/** Whether an error says that there is no database to talk to for now. */
export function isDatabaseAway(thrown: unknown): boolean {
  return [...causes(thrown)].some(
    (error) => "code" in error && databaseAway.test(String(error.code)),
  );
}

/** An error and what caused it, outermost first. Drizzle wraps what the driver throws. */
function* causes(thrown: unknown): Generator<Error> {
  let error = thrown;
  for (let depth = 0; error instanceof Error && depth < 5; depth++) {
    yield error;
    error = error.cause;
  }
}
