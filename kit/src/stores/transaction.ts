import postgres, { type Sql, type TransactionSql } from "postgres";
import { isDatabaseAway } from "../rpc/service-error.ts";

/** What a transaction does, with a client of its own. */
export type TransactionBlock<T> = (client: TransactionSql) => Promise<T>;

/**
 * Runs a transaction. When its connection is lost, postgres.js would go on to talk on it: to roll back, which ends the
 * process where there is no socket any more, or with the next statement, which by then may be on a new connection
 * and outside of any transaction. Here a block whose connection is lost has failed, and says nothing more.
 */
export async function runTransaction<T>(pool: Sql, block: TransactionBlock<T>): Promise<T> {
  const lost = Promise.withResolvers<never>();
  let isOver = false;
  const guarded = async (client: TransactionSql) => {
    const unsafe = client.unsafe;
    client.unsafe = (...query: Parameters<typeof unsafe>) => {
      if (isOver) throw new Error("the transaction is over");
      return unsafe(...query);
    };
    try {
      return await block(client);
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      lost.reject(error);
      // For postgres.js it never ends, so that there is nothing to roll back.
      return await new Promise<never>(() => {});
    }
  };
  try {
    return await Promise.race([pool.begin(guarded) as Promise<T>, lost.promise]);
  } finally {
    isOver = true;
  }
}

/** PostgreSQL did not say it itself. What it says comes over a connection. */
function isConnectionLost(error: unknown): boolean {
  const { cause } = error instanceof Error ? error : {};
  const isAnswer = [error, cause].some((each) => each instanceof postgres.PostgresError);
  return !isAnswer && isDatabaseAway(error);
}
