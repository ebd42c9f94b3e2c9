import { test } from "node:test";
import { checkDeletion } from "./deletion-check.ts";

test("whichever process is killed meanwhile: deleted users leave no orders, and nobody else loses one", (t) =>
  checkDeletion(t, 4));
