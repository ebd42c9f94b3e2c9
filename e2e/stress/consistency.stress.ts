import { test } from "node:test";
import { checkConsistency } from "../consistency/check.ts";

test("60 s of traffic while processes die in turn: nothing acknowledged is lost, nothing happened twice", (t) =>
  checkConsistency(t, 60));
