import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf } from "../test/failure-of.ts";
import { checkCurrency } from "./currency.ts";

test("currencies in use pass; retired ones and mere letters name the field that is wrong", async () => {
  for (const code of ["EUR", "USD", "JPY", "KWD", "CHF"]) checkCurrency(code);
  for (const code of ["DEM", "XXX", "ABC", "eur", ""])
    assert.equal(
      await failureOf((async () => checkCurrency(code))()),
      "InvalidArgument currency_code",
    );
});
