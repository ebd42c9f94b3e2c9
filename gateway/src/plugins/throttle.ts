import fastifyPlugin from "fastify-plugin";
import type { EdgeMetrics } from "../edge-metrics.ts";
import { maxConcurrentStreams, throttleRetryMaxMs, throttleRetryMinMs } from "../limits.ts";
import type { LoadShedding } from "../load-shedding.ts";
import { overloaded } from "../refusal.ts";
import { isStream } from "../route-name.ts";
import { whenClosed } from "../when-closed.ts";

export interface ThrottleOptions {
  /** Requests under way at once; one more is turned away with 503. */
  readonly maxConcurrentRequests: number;
  readonly metrics: Pick<EdgeMetrics, "showUnderWay" | "turnedAway" | "shed">;
  /** Says what the event loop has no time for. */
  readonly shedding: Pick<LoadShedding, "share">;
}

/**
 * Keeps the process from taking more requests than it can carry. Streams, which last for hours and
 * cost next to nothing, are counted apart from them. What the event loop cannot carry is shed, the least
 * important first.
 */
export const throttle = fastifyPlugin<ThrottleOptions>(
  async (app, { maxConcurrentRequests, metrics, shedding }) => {
    const requests = { underWay: 0, max: maxConcurrentRequests };
    const streams = { underWay: 0, max: maxConcurrentStreams };
    metrics.showUnderWay(() => ({ requests: requests.underWay, streams: streams.underWay }));
    app.addHook("onRequest", (request, reply, done) => {
      const count = isStream(request) ? streams : requests;
      if (count.underWay >= count.max) {
        metrics.turnedAway();
        throw overloaded(retryAfterMs());
      }
      const criticality = request.routeOptions.config.policy?.criticality;
      if (criticality !== undefined && isShed(shedding.share(criticality))) {
        metrics.shed(criticality);
        throw overloaded(retryAfterMs());
      }
      count.underWay++;
      whenClosed(reply.raw, () => count.underWay--);
      done();
    });
  },
  { name: "throttle" },
);

function isShed(share: number): boolean {
  return share > 0 && Math.random() < share;
}

function retryAfterMs(): number {
  return throttleRetryMinMs + Math.random() * (throttleRetryMaxMs - throttleRetryMinMs);
}
