import assert from "node:assert/strict";
import { test } from "node:test";
import { type SigningKey, SigningKeySchema } from "@3l1/gen/user/v1/session_service_pb.ts";
import { create } from "@bufbuild/protobuf";
import { cacheSigningKeys } from "./signing-keys.ts";

/** RFC 8037, appendix A. */
const publicKey = Buffer.from("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "base64url");
const key = (id: string) => create(SigningKeySchema, { id, publicKey });

test("all keys are asked for again after 30 s, and kept while they cannot be had", async () => {
  let now = 0;
  let answer: () => readonly SigningKey[] = () => [key("one")];
  const keys = cacheSigningKeys(
    async () => answer(),
    () => now,
  );
  const ids = async () => (await keys.all()).map(({ id }) => id);
  assert.deepEqual(await ids(), ["one"]);
  answer = () => [key("one"), key("two")];
  assert.deepEqual(await ids(), ["one"]);
  now = 30_000;
  assert.deepEqual(await ids(), ["one", "two"]);
  now = 60_000;
  answer = () => {
    throw new Error("away");
  };
  assert.deepEqual(await ids(), ["one", "two"]);
});

test("keys that were never had are an error", async () => {
  const away = async () => {
    throw new Error("away");
  };
  await assert.rejects(cacheSigningKeys(away, () => 0).all(), /away/);
});
