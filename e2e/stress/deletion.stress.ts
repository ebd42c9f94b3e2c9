import { test } from "node:test";
import { checkDeletion } from "../deletion-check.ts";

test("50 kills: deleted users leave no orders, and nobody else loses one", (t) =>
  checkDeletion(t, 50));
