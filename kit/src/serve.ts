import { Health } from "@3l1/gen/grpc/health/v1/health_pb.ts";
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import type { TokenVerifier } from "./auth/access-token.ts";
import type { Caller } from "./auth/caller.ts";
import type { ServiceCredential } from "./auth/secrets.ts";
import { createGrpcServer } from "./grpc/server.ts";
import { authenticate } from "./interceptors/authenticate.ts";
import { logCalls } from "./interceptors/log-calls.ts";
import { validate } from "./interceptors/validate.ts";
import { listen } from "./listen.ts";
import type { ProcessContext } from "./process.ts";
import { createServiceHealth } from "./rpc/health.ts";
import { policiesOf } from "./rpc/method-policy.ts";
import { addReflection } from "./rpc/reflection.ts";
import { traceServerCalls } from "./tracing/trace-server-calls.ts";

/** How long calls under way may take once the process is told to end. */
const drainMs = 20_000;

/** A service and what it does. {@link implement} makes one. */
export interface ServiceBinding {
  readonly service: DescService;
  readonly implementation: object;
}

/** Binds a service to its handlers, with their types checked. A missing method answers `unimplemented`. */
export function implement<S extends DescService>(
  service: S,
  implementation: Partial<ServiceImpl<S>>,
): ServiceBinding {
  return { service, implementation };
}

export interface ServeOptions {
  readonly bindings: readonly ServiceBinding[];
  readonly verifier: TokenVerifier;
  readonly credential: ServiceCredential;
  /** Whether a genuine token has been revoked before its time. Default: none has. */
  readonly isRevoked?: (caller: Caller) => boolean;
  readonly host: string;
  readonly port: number;
  /** The setting that holds the port, for the error when it is taken. */
  readonly portSetting: string;
}

/**
 * The one bootstrap of every internal service: gRPC, gRPC-Web and Connect over h2c on one port, with
 * the interceptors (trace, log, authenticate, validate), health and reflection. On shutdown health turns to
 * NOT_SERVING, clients are sent away, and calls under way may end.
 *
 * @returns the port it listens on
 */
export async function serve(context: ProcessContext, options: ServeOptions): Promise<number> {
  const { logger, registry, shutdown, tracing } = context;
  const { bindings, verifier, credential, isRevoked } = options;
  const services = bindings.map(({ service }) => service);
  const health = createServiceHealth(services.map(({ typeName }) => typeName));
  const policies = policiesOf(services);
  const server = createGrpcServer({
    routes: (router) => addRoutes(router, bindings, health.implementation),
    interceptors: [
      ...(tracing === undefined ? [] : [traceServerCalls(tracing)]),
      logCalls(logger, registry, () => performance.now()),
      authenticate({ verifier, credential, policies, ...(isRevoked && { isRevoked }) }),
      validate(services),
    ],
  });
  const port = await listen(server.server, options.port, options.host, options.portSetting);
  shutdown.defer("gRPC", () => {
    health.set("NOT_SERVING");
    return server.drain(drainMs);
  });
  health.set("SERVING");
  return port;
}

function addRoutes(
  router: ConnectRouter,
  bindings: readonly ServiceBinding[],
  health: ServiceImpl<typeof Health>,
): void {
  for (const { service, implementation } of bindings) router.service(service, implementation);
  router.service(Health, health);
  addReflection(router, [...bindings.map(({ service }) => service), Health]);
}
