import type { GetPlatformHealthResponse } from "@3l1/gen/platform/v1/platform_service_pb.ts";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { platform } from "../api/clients.ts";
import { type Failure, failureOf } from "../api/failure.ts";
import { present } from "../app/presence.ts";
import { Alert } from "../parts/alert.tsx";
import { Page, Skeleton } from "../parts/page.tsx";
import { Ago, Exactly } from "../parts/time.tsx";
import { GatewayPanel, LimitsPanel, SessionsPanel, TrafficPanel } from "./health-panels.tsx";
import { RouteTable } from "./route-table.tsx";
import { UpstreamPanel } from "./upstream-panel.tsx";

/** Until the first answer tells how long a sample is. */
const firstGuessSeconds = 5;

/** The platform's health as one gateway sees it, in pictures; anew with every sample. */
export function HealthPage() {
  const health = useSignal<GetPlatformHealthResponse | undefined>(undefined);
  const failure = useSignal<Failure | undefined>(undefined);
  async function load(): Promise<void> {
    try {
      health.value = await platform.getPlatformHealth({});
      failure.value = undefined;
    } catch (error) {
      failure.value = failureOf(error);
    }
  }
  const seconds = health.value?.sampleSeconds || firstGuessSeconds;
  useEffect(() => {
    if (!present.value) return;
    void load();
    const timer = setInterval(() => void load(), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds, present.value]);

  return (
    <Page title="Health" aside={health.value && <Source health={health.value} />}>
      {failure.value && <Alert text={failure.value.message} retry={() => void load()} />}
      {!health.value && !failure.value && <Skeleton rows={4} />}
      {health.value && <Panels health={health.value} />}
    </Page>
  );
}

function Source({ health }: { readonly health: GetPlatformHealthResponse }) {
  const { gateway, sampledAt } = health;
  return (
    <p class="source">
      as <strong>{gateway?.name}</strong> sees it, <Exactly at={sampledAt} />; started{" "}
      <Ago at={gateway?.startedAt} />
    </p>
  );
}

function Panels({ health }: { readonly health: GetPlatformHealthResponse }) {
  const { upstreams, total, throttle, rateLimits, rateLimitFallbacks, sessions, gateway } = health;
  return (
    <div class="panels">
      {upstreams.map((upstream) => (
        <UpstreamPanel key={upstream.name} upstream={upstream} />
      ))}
      {total && <TrafficPanel traffic={total} sampleSeconds={health.sampleSeconds} />}
      <RouteTable routes={health.routes} sampleSeconds={health.sampleSeconds} />
      {throttle && (
        <LimitsPanel throttle={throttle} limits={rateLimits} fallbacks={rateLimitFallbacks} />
      )}
      {sessions && <SessionsPanel sessions={sessions} />}
      {gateway && <GatewayPanel gateway={gateway} />}
    </div>
  );
}
