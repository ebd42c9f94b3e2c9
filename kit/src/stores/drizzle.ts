import { createRequire } from "node:module";

/*
 * What we use of drizzle, as CommonJS. Its ES modules import each other in circles: to link them takes V8
 * half a second, and 150 MiB that a process does not give back. Required, they take a fifth of the time and
 * 25 MiB. Types come from drizzle as usual: `import type { SQL } from "drizzle-orm"`.
 */
const require = createRequire(import.meta.url);

/** For queries. */
export const {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  sql,
}: typeof import("drizzle-orm") = require("drizzle-orm");

/** For schemas. */
export const {
  bigint,
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
}: typeof import("drizzle-orm/pg-core") = require("drizzle-orm/pg-core");

/** Puts drizzle on top of a pool of postgres.js. */
export const { drizzle }: typeof import("drizzle-orm/postgres-js") =
  require("drizzle-orm/postgres-js");

/** Brings a database to the newest schema. */
export const { migrate }: typeof import("drizzle-orm/postgres-js/migrator") =
  require("drizzle-orm/postgres-js/migrator");
