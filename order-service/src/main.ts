import { runProcess } from "@3l1/kit/process.ts";
import { settings } from "./config.ts";
import { startOrderService } from "./order-service.ts";

await runProcess(
  {
    name: "order-service",
    settings,
    admin: (config) => ({
      host: config.ORDER_SERVICE_ADMIN_HOST,
      port: config.ORDER_SERVICE_ADMIN_PORT,
      setting: "ORDER_SERVICE_ADMIN_PORT",
    }),
    start: startOrderService,
  },
  process.env,
);
