import { join } from "node:path";
import { printBanner } from "./banner.ts";
import { loadDemoData } from "./demo.ts";
import { readSetting } from "./environment.ts";
import type { Secrets } from "./secrets.ts";
import { type Environment, type Settings, urlOf } from "./settings.ts";
import { shortPath } from "./short-path.ts";
import { inSeconds, type Terminal } from "./terminal.ts";

/** The administrator's, where `ADMIN_EMAIL` is not set. */
export const defaultAdminEmail = "admin@example.com";

export interface WelcomeOptions {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly env: Environment;
  readonly terminal: Terminal;
  readonly startedAt: number;
  readonly stop: AbortSignal;
}

/** Tells that the platform is ready and, unless `PLATFORM_DEMO=false`, makes demo data and shows what to try. */
export async function welcome(options: WelcomeOptions): Promise<void> {
  const { settings, env, terminal, startedAt, stop } = options;
  const url = urlOf(settings.gateway.public);
  const account = {
    email: readSetting(env, "DEMO_EMAIL") ?? "",
    password: readSetting(env, "DEMO_PASSWORD") ?? "",
  };
  const demo = settings.demo && (await hasDemoData(url, account, options)) ? account : undefined;
  if (stop.aborted) return;
  const took = terminal.paint("bold", `ready in ${inSeconds(performance.now() - startedAt)}`);
  terminal.print(`\n  3L1 is ${took} at ${url}; Ctrl-C stops it and keeps its data`);
  if (!settings.demo) return;
  printBanner(terminal, {
    gatewayUrl: url,
    adminUrl: urlOf(settings.gateway.admin),
    adminEmail: readSetting(env, "ADMIN_EMAIL") ?? "",
    adminNote: adminNote(options),
    logsCommand: env.PLATFORM_DIR
      ? `PLATFORM_DIR=${env.PLATFORM_DIR} npm run logs`
      : "npm run logs",
    demo,
  });
}

type AdminNoteOptions = Pick<WelcomeOptions, "secrets" | "env"> & {
  readonly settings: Pick<Settings, "platformDir">;
};

/** An account that is there keeps its e-mail and its password, whatever is set later. */
export function adminNote({ settings, secrets, env }: AdminNoteOptions): string {
  const madePassword = readSetting(env, "ADMIN_PASSWORD") === secrets.adminPassword;
  const madeEmail = readSetting(env, "ADMIN_EMAIL") === defaultAdminEmail;
  const file = shortPath(join(settings.platformDir, "secrets.json"));
  const note = `password in ${madePassword ? file : "ADMIN_PASSWORD"}`;
  return madePassword && madeEmail ? note : `${note}, unless there was an administrator before`;
}

/** Without demo data the platform is as good; why there is none is told. */
async function hasDemoData(
  url: string,
  account: { email: string; password: string },
  { terminal, stop }: WelcomeOptions,
): Promise<boolean> {
  try {
    await terminal.step("demo data", () => loadDemoData({ url, ...account, signal: stop }));
    return true;
  } catch (error) {
    if (!stop.aborted) terminal.print(`  no demo data: ${(error as Error).message}`);
    return false;
  }
}
