import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readPrivateJson, writePrivateJson } from "./private-json.ts";

/** What is made up once for a platform and kept in its `secrets.json`. Settings of the same name win. */
export interface Secrets {
  readonly secretKeys: string;
  readonly adminPassword: string;
  readonly demoPassword: string;
}

/** Reads the secrets of a platform, and makes up those that it does not have yet. */
export function loadSecrets(platformDir: string): Secrets {
  const file = join(platformDir, "secrets.json");
  const known = readPrivateJson<Partial<Secrets>>(file) ?? {};
  const secrets: Secrets = {
    secretKeys: known.secretKeys ?? randomKey(),
    adminPassword: known.adminPassword ?? randomPassword(),
    demoPassword: known.demoPassword ?? randomPassword(),
  };
  if (JSON.stringify(known) !== JSON.stringify(secrets)) writePrivateJson(file, secrets);
  return secrets;
}

/** 256 bits, without a character that a shell or a URL would take for something else. */
export function randomKey(): string {
  return randomBytes(32).toString("base64url");
}

/** 100 bits that can be read aloud: four groups of five, no letter that looks like a digit. */
function randomPassword(): string {
  const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
  const letters = [...randomBytes(20)].map((byte) => alphabet[byte % alphabet.length]).join("");
  return letters.match(/.{5}/g)?.join("-") ?? letters;
}
