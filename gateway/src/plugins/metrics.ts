import { Registry } from "@prometheus-io/client";
import fastifyMetrics from "fastify-metrics";
import fastifyPlugin from "fastify-plugin";
import { routeOf } from "../route-name.ts";

export interface MetricsOptions {
  /** The process's registry, which the admin port serves. */
  readonly registry: Registry;
}

/** `http_request_duration_seconds` by method, route template and status. */
export const metrics = fastifyPlugin<MetricsOptions>(
  async (app, { registry }) => {
    await app.register(fastifyMetrics.default, {
      endpoint: null,
      defaultMetrics: { enabled: false },
      routeMetrics: {
        enabled: { histogram: true, summary: false },
        registeredRoutesOnly: false,
        overrides: {
          labels: { getRouteLabel: routeOf },
          histogram: {
            registers: [registry],
            buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
          },
          // The plugin makes one even when it is off: where nobody looks.
          summary: { registers: [new Registry()] },
        },
      },
    });
  },
  { name: "metrics" },
);
