import assert from "node:assert/strict";
import { test } from "node:test";
import { harmOf } from "./checks.ts";

test("a column that every row must have, and none would, is no migration to roll out", () => {
  const harm = 'ALTER TABLE "orders" ADD COLUMN "gift" text NOT NULL';
  assert.equal(harmOf(`CREATE TYPE "a" AS ENUM('b');--> statement-breakpoint\n${harm};`), harm);
  for (const fine of [
    'ALTER TABLE "orders" ADD COLUMN "gift" text;',
    `ALTER TABLE "orders" ADD COLUMN "gift" text DEFAULT '' NOT NULL;`,
    'ALTER TABLE "orders" ADD COLUMN "n" bigint NOT NULL GENERATED ALWAYS AS IDENTITY;',
    'CREATE TABLE "gifts" ("id" uuid NOT NULL);',
  ])
    assert.equal(harmOf(fine), undefined, fine);
});

test("a name that the running version still reads is not taken away", () => {
  const harm = 'ALTER TABLE "orders" RENAME COLUMN "note" TO "remark"';
  assert.equal(harmOf(`${harm};`), harm);
});
