import { Histogram, Registry } from "@prometheus-io/client";
import type { FastifyReply, FastifyRequest } from "fastify";
import fastifyMetrics from "fastify-metrics";
import fastifyPlugin from "fastify-plugin";
import { isStream, routeOf } from "../route-name.ts";

export interface MetricsOptions {
  /** The process's registry, which the admin port serves. */
  readonly registry: Registry;
}

const name = "http_request_duration_seconds";
/** What fastify-metrics leaves out: nobody waits for their answers as for others. */
const unmeasured: ReadonlySet<string> = new Set(["HEAD", "OPTIONS", "TRACE", "CONNECT"]);

/** `http_request_duration_seconds` by method, route template and status; 499 when the client left. */
export const metrics = fastifyPlugin<MetricsOptions>(
  async (app, { registry }) => {
    await app.register(fastifyMetrics.default, {
      endpoint: null,
      defaultMetrics: { enabled: false },
      routeMetrics: {
        enabled: { histogram: true, summary: false },
        registeredRoutesOnly: false,
        methodBlacklist: [...unmeasured],
        overrides: {
          labels: { getRouteLabel: routeOf },
          histogram: {
            name,
            registers: [registry],
            buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
          },
          // The plugin makes one even when it is off: where nobody looks.
          summary: { registers: [new Registry()] },
        },
      },
    });
    const duration = registry.getSingleMetric<string>(name);
    if (!(duration instanceof Histogram)) throw new Error(`fastify-metrics made no ${name}`);
    app.addHook("onRequest", (request, reply, done) => {
      measureIfLeft(duration, request, reply);
      done();
    });
  },
  { name: "metrics" },
);

/**
 * The plugin looks at answers that have gone out, and misses those that nobody waited for. Streams end
 * when their client leaves: nothing is wrong then, and they lasted for as long as they were wanted.
 */
function measureIfLeft(
  duration: Histogram<string>,
  request: FastifyRequest,
  { raw }: FastifyReply,
): void {
  const { method } = request;
  if (unmeasured.has(method) || isStream(request)) return;
  const startedAt = performance.now();
  raw.once("close", () => {
    // After an error the plugin has counted it already.
    if (raw.writableFinished || raw.errored) return;
    const labels = { method, route: routeOf(request), status_code: "499" };
    duration.observe(labels, (performance.now() - startedAt) / 1000);
  });
}
