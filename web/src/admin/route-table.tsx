import type { RouteTraffic } from "@3l1/gen/platform/v1/platform_health_pb.ts";
import { Bars, Lines } from "./charts.tsx";
import { trafficSeries } from "./health-panels.tsx";
import { formatMs, formatRate, sumOf } from "./numbers.ts";
import { ScrollTable } from "./scroll-table.tsx";

export interface RouteTableProps {
  readonly routes: readonly RouteTraffic[];
  readonly sampleSeconds: number;
}

/** Each route's requests, errors and latency. */
export function RouteTable({ routes, sampleSeconds }: RouteTableProps) {
  return (
    <section class="panel full">
      <header>
        <h2>Routes</h2>
      </header>
      <ScrollTable label="Routes">
        <thead>
          <tr>
            <th scope="col">Route</th>
            <th scope="col">Requests and errors</th>
            <th scope="col" class="number">
              Rate
            </th>
            <th scope="col" class="number">
              4xx · 5xx
            </th>
            <th scope="col">Latency</th>
            <th scope="col" class="number">
              p50 · p99
            </th>
          </tr>
        </thead>
        <tbody>
          {routes.map((each) => (
            <Row key={`${each.method} ${each.route}`} route={each} sampleSeconds={sampleSeconds} />
          ))}
        </tbody>
      </ScrollTable>
    </section>
  );
}

/** The package of a service says nothing here: `/order.v1.OrderService/GetOrder` is `OrderService/GetOrder`. */
function shortOf(route: string): string {
  return route.replace(/^\/[\w.]+\.(\w+\/\w+)$/, "$1");
}

function Row({ route, sampleSeconds }: { route: RouteTraffic; sampleSeconds: number }) {
  const { traffic } = route;
  if (traffic === undefined) return null;
  const { requests, clientErrors, serverErrors, p50Ms, p99Ms } = traffic;
  const name = `${route.method} ${route.route}`;
  return (
    <tr>
      <th scope="row">
        <small>{route.method}</small> <code title={route.route}>{shortOf(route.route)}</code>
      </th>
      <td>
        <Bars label={`Requests to ${name}`} series={trafficSeries(traffic)} />
      </td>
      <td class="number">{formatRate(requests, sampleSeconds)}</td>
      <td class="number">
        {sumOf(clientErrors)} · {sumOf(serverErrors)}
      </td>
      <td>
        <Lines
          label={`Latency of ${name}`}
          series={[
            { values: p99Ms, tone: "warn" },
            { values: p50Ms, tone: "plain" },
          ]}
        />
      </td>
      <td class="number">
        {formatMs(traffic.overallP50Ms)} · {formatMs(traffic.overallP99Ms)}
      </td>
    </tr>
  );
}
