import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./service.ts";
import { adminNote } from "./welcome.ts";

test("the administrator's password is promised for sure only where no setting came in between", () => {
  const settings = { platformDir: join(root, ".local") };
  const secrets = { secretKeys: "s", adminPassword: "made by the first start", demoPassword: "d" };
  const made = { ADMIN_EMAIL: "admin@example.com", ADMIN_PASSWORD: secrets.adminPassword };
  const noteFor = (own: Record<string, string>) =>
    adminNote({ settings, secrets, env: { ...made, ...own } });

  const unsure = "unless there was an administrator before";
  assert.match(noteFor({}), /^password in \S*secrets\.json$/);
  assert.match(noteFor({ ADMIN_EMAIL: "me@example.com" }), RegExp(`secrets\\.json, ${unsure}$`));
  assert.equal(noteFor({ ADMIN_PASSWORD: "my own" }), `password in ADMIN_PASSWORD, ${unsure}`);
});
