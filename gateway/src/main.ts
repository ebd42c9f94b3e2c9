import { runProcess } from "@3l1/kit/process.ts";
import { checkSettings, settings } from "./config.ts";
import { start } from "./start.ts";

await runProcess(
  {
    name: "gateway",
    settings,
    check: checkSettings,
    admin: (config) => ({
      host: config.GATEWAY_ADMIN_HOST,
      port: config.GATEWAY_ADMIN_PORT,
      setting: "GATEWAY_ADMIN_PORT",
    }),
    start,
  },
  process.env,
);
