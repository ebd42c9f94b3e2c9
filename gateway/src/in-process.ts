import type { ServiceBinding } from "@3l1/kit/serve.ts";
import { createRouterTransport, type Interceptor, type Transport } from "@connectrpc/connect";

/**
 * The way to services that the gateway implements itself. To the faces they are services like any other;
 * there is no network between.
 */
export function createInProcessTransport(
  bindings: readonly ServiceBinding[],
  interceptors: Interceptor[],
): Transport {
  return createRouterTransport(
    (router) => {
      for (const { service, implementation } of bindings) router.service(service, implementation);
    },
    { router: { interceptors } },
  );
}
