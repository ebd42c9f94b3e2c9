import { getTableColumns, sql } from "@3l1/kit/stores/drizzle.ts";
import type { Column, SQL } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";

/** A parameter with a column's type, in JavaScript and in SQL. */
export function given(column: Column, name = column.name): SQL {
  return sql`${sql.param(sql.placeholder(name), column)}::${sql.raw(column.getSQLType())}`;
}

export function list(items: readonly (Column | SQL)[]): SQL {
  return sql.join([...items], sql`, `);
}

/** All columns of a row to insert, as parameters that are called `prefix.key`. */
export function row(table: PgTable, prefix: string): SQL {
  const columns = Object.entries(getTableColumns(table));
  return sql.join(
    columns.map(([key, column]) => given(column, `${prefix}.${key}`)),
    sql`, `,
  );
}
