// Makes the secrets of `docker compose up`: at the first start at random, after that the same ones.
//   node make-secrets.mts [folder]
// Each folder below is a volume that one container mounts, so that none sees what is another's. The files
// can be read by every user of that container, since images differ in whom they run as.

import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = process.argv[2] ?? "/secrets";

/** 256 bits, without a character that a URL or a shell would take for something else. */
const randomKey = () => randomBytes(32).toString("base64url");

/** What is random stays in a volume that nobody else mounts; all other files follow from it. */
function kept(name: string): string {
  const file = `kept/${name}`;
  if (!existsSync(join(root, file))) write(file, randomKey(), 0o400);
  return readFileSync(join(root, file), "utf8").trim();
}

/** Appears whole or not at all: a reader may look at any time. */
function write(file: string, text: string, mode = 0o444): void {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${text}\n`, { mode });
  renameSync(`${path}.new`, path);
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Redis keeps hashes. Without a password one may ask whether it is there, for the health check. */
const acl = ["user default on nopass resetkeys resetchannels -@all +ping"];

for (const service of ["gateway", "user-service", "order-service"]) {
  const login = service.replace("-", "_");
  const password = kept(`redis_${login}`);
  write(`${service}/secret_keys`, kept("secret_keys"));
  write(`${service}/redis_url`, `redis://${login}:${password}@redis:6379`);
  acl.push(`user ${login} on #${sha256(password)} ~* &* +@all -@admin -@dangerous +info`);
  if (service === "gateway") continue;
  const databasePassword = kept(`postgres_${login}`);
  write(
    `${service}/database_url`,
    `postgres://${login}:${databasePassword}@postgres:5432/${login}`,
  );
  write(`postgres/${login}_password`, databasePassword);
}
write("redis/users.acl", acl.join("\n"));
write("postgres/superuser_password", kept("postgres_superuser"));
write("user-service/admin_password", kept("first_admin"));
write("grafana/admin_password", kept("grafana_admin"));
