import { PlatformService } from "@3l1/gen/platform/v1/platform_service_pb.ts";
import type { TokenVerifier } from "@3l1/kit/auth/access-token.ts";
import type { Revocations } from "@3l1/kit/auth/revocations.ts";
import type { ServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { authenticate } from "@3l1/kit/interceptors/authenticate.ts";
import { logCalls } from "@3l1/kit/interceptors/log-calls.ts";
import { validate } from "@3l1/kit/interceptors/validate.ts";
import type { Logger } from "@3l1/kit/logger.ts";
import { policiesOf } from "@3l1/kit/rpc/method-policy.ts";
import { implement } from "@3l1/kit/serve.ts";
import type { Transport } from "@connectrpc/connect";
import type { Registry } from "@prometheus-io/client";
import { type HealthSources, platformHealthOf } from "./health/platform-health.ts";
import { createHealthSamples } from "./health/samples.ts";
import { createInProcessTransport } from "./in-process.ts";

export interface PlatformServiceOptions extends HealthSources {
  readonly logger: Logger;
  /** Where the metrics of the gateway are. */
  readonly registry: Registry;
  readonly verifier: TokenVerifier;
  readonly credential: ServiceCredential;
  readonly revocations: Pick<Revocations, "isRevoked" | "inForce" | "silentMs">;
}

/** The service that the gateway itself is. */
export interface OwnService {
  /** The way to it, for the faces. */
  readonly transport: Transport;
  /** Takes a sample of the health. To be called every `healthSampleMs`. */
  sample(): Promise<void>;
}

/** The PlatformService: no other process knows what the gateway knows. Guarded as every service is. */
export function createPlatformService(options: PlatformServiceOptions): OwnService {
  const { logger, registry, verifier, credential, revocations } = options;
  const samples = createHealthSamples(registry, Date.now);
  const binding = implement(PlatformService, {
    getPlatformHealth: () => platformHealthOf(options, samples.kept, Date.now()),
  });
  const policies = policiesOf([PlatformService]);
  const { isRevoked } = revocations;
  const transport = createInProcessTransport(
    [binding],
    [
      logCalls(logger, registry, () => performance.now()),
      authenticate({ verifier, credential, policies, isRevoked }),
      validate([PlatformService]),
    ],
  );
  return { transport, sample: samples.take };
}
