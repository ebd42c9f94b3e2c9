import { runProcess } from "@3l1/kit/process.ts";
import { checkSettings, settings } from "./config.ts";
import { startUserService } from "./user-service.ts";

await runProcess(
  {
    name: "user-service",
    settings,
    check: checkSettings,
    admin: (config) => ({
      host: config.USER_SERVICE_ADMIN_HOST,
      port: config.USER_SERVICE_ADMIN_PORT,
      setting: "USER_SERVICE_ADMIN_PORT",
    }),
    start: startUserService,
  },
  process.env,
);
