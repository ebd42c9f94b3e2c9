import postgres, { type Sql } from "postgres";

/** The databases of the services, for stories that hold what clients were told against what is kept. */
export interface Databases extends AsyncDisposable {
  readonly users: Sql;
  readonly orders: Sql;
}

/** @param url the superuser's */
export function openDatabases(url: string): Databases {
  const open = (name: string) =>
    postgres(url.replace(/\/postgres$/, `/${name}`), { max: 4, onnotice: () => {} });
  const users = open("user_service");
  const orders = open("order_service");
  return {
    users,
    orders,
    async [Symbol.asyncDispose]() {
      await Promise.all([users, orders].map((sql) => sql.end({ timeout: 1 })));
    },
  };
}
