import { EventEmitter, on } from "node:events";
import {
  type Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@3l1/gen/grpc/health/v1/health_pb.ts";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";

/** The standard gRPC health service (grpc/health/v1/health.proto) of one process. */
export interface ServiceHealth {
  readonly implementation: ServiceImpl<typeof Health>;
  /** Sets all services at once, and tells those who watch. */
  set(status: "SERVING" | "NOT_SERVING"): void;
}

/** Everything starts as NOT_SERVING. The empty name stands for the whole process. */
export function createServiceHealth(serviceNames: readonly string[]): ServiceHealth {
  const names = new Set(["", ...serviceNames]);
  const changes = new EventEmitter().setMaxListeners(0);
  let current: Status = Status.NOT_SERVING;
  const statusOf = (name: string) => (names.has(name) ? current : undefined);

  const implementation: ServiceImpl<typeof Health> = {
    check({ service }) {
      const status = statusOf(service);
      if (status === undefined)
        throw new ConnectError(`no service named ${JSON.stringify(service)}`, Code.NotFound);
      return { status };
    },
    list: () => ({
      statuses: Object.fromEntries([...names].map((name) => [name, { status: current }])),
    }),
    async *watch({ service }, { signal }) {
      const changed = on(changes, "change", { signal });
      yield { status: statusOf(service) ?? Status.SERVICE_UNKNOWN };
      try {
        for await (const _ of changed) if (names.has(service)) yield { status: current };
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
  return {
    implementation,
    set(status) {
      if (current === Status[status]) return;
      current = Status[status];
      changes.emit("change");
    },
  };
}
