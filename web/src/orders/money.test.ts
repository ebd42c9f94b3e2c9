import assert from "node:assert/strict";
import { test } from "node:test";
import { digitsOf, formatMoney, parseMoney } from "./money.ts";

test("amounts are read in the currency's own digits, with a point or a comma", () => {
  assert.equal(parseMoney("4.50", "EUR"), 450n);
  assert.equal(parseMoney(" 4,5 ", "EUR"), 450n);
  assert.equal(parseMoney("12", "EUR"), 1200n);
  assert.equal(parseMoney("2480", "JPY"), 2480n);
  assert.equal(parseMoney("0", "EUR"), 0n);
});

test("what is no amount of the currency is none", () => {
  for (const text of ["", "x", "-1", "4.505", "1e3", ".5", "1 000", "9".repeat(16)])
    assert.equal(parseMoney(text, "EUR"), undefined, text);
  assert.equal(parseMoney("24.80", "JPY"), undefined);
});

test("amounts are written exactly, however large", () => {
  const digits = (text: string) => text.replace(/\D/g, "");
  assert.equal(digits(formatMoney(9_007_199_254_740_993_01n, "EUR")), "900719925474099301");
  assert.equal(digits(formatMoney(5n, "EUR")), "005");
  assert.equal(digits(formatMoney(2480n, "JPY")), "2480");
  assert.equal(digitsOf("JPY"), 0);
});
