import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { isSet, withDefaults } from "./environment.ts";
import { readPlatformFile } from "./platform-file.ts";
import { userDatabaseUrlOf } from "./postgres.ts";
import { loadSecrets } from "./secrets.ts";
import type { Environment } from "./settings.ts";
import { StartError } from "./start-error.ts";

/**
 * The environment, and for what it leaves unset of USER_DATABASE_URL and SECRET_KEYS the values of
 * the platform that runs in `PLATFORM_DIR`.
 *
 * @throws {StartError} when something is unset and no platform runs there
 */
export function keySettings(env: Environment, root: string): Environment {
  const names = ["USER_DATABASE_URL", "SECRET_KEYS"];
  if (names.every((name) => isSet(env, name))) return env;
  const platformDir = resolve(root, env.PLATFORM_DIR || ".local");
  const platform = readPlatformFile(platformDir);
  if (platform === undefined)
    throw new StartError(
      `no platform runs in ${platformDir}.\n` +
        `Start it with npm start, name its folder by PLATFORM_DIR, or set ${names.join(" and ")}.`,
    );
  return withDefaults(env, {
    USER_DATABASE_URL: userDatabaseUrlOf(platform.postgres, join(platformDir, "postgres")),
    SECRET_KEYS: existsSync(join(platformDir, "secrets.json"))
      ? loadSecrets(platformDir).secretKeys
      : undefined,
  });
}
