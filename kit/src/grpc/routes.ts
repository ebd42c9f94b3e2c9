import type { DescMethod, DescMethodUnary, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";

/** A handler, as far as the server is concerned. */
export type UnaryHandler = (request: never, context: HandlerContext) => unknown;

/** A unary method that our own path serves. */
export interface UnaryRoute {
  readonly method: DescMethodUnary;
  readonly handler: UnaryHandler;
}

type RouteOptions = Parameters<ConnectRouter["rpc"]>[2];

/**
 * Wraps the registration of services, to note the unary methods by path, and to hand the streaming
 * ones `drainSignal`, so that they end when the server drains. A service registered with options of its
 * own is left to the stock adapter alone.
 */
export function noteUnaryRoutes(
  routes: (router: ConnectRouter) => void,
  unaryRoutes: Map<string, UnaryRoute>,
  drainSignal: AbortSignal,
): (router: ConnectRouter) => void {
  return (router) => {
    const add = (method: DescMethod, handler: UnaryHandler, options: RouteOptions) => {
      if (method.methodKind !== "unary") {
        const streamOptions = { shutdownSignal: drainSignal, ...options };
        router.rpc(method, handler as never, streamOptions);
        return;
      }
      router.rpc(method, handler as never, options);
      if (options === undefined) {
        const path = `/${method.parent.typeName}/${method.name}`;
        unaryRoutes.set(path, { method: method as DescMethodUnary, handler });
      }
    };
    const noting: ConnectRouter = {
      handlers: router.handlers,
      service(service: DescService, implementation: object, options?: RouteOptions) {
        const handlers = implementation as Record<string, UnaryHandler | undefined>;
        for (const method of service.methods) {
          const handler = handlers[method.localName] ?? unimplemented(method);
          add(method, handler.bind(implementation), options);
        }
        return noting;
      },
      rpc(method, handler, options) {
        add(method, handler as UnaryHandler, options);
        return noting;
      },
    };
    routes(noting);
  };
}

function unimplemented(method: DescMethod): UnaryHandler {
  return () => {
    const message = `${method.parent.typeName}.${method.name} is not implemented`;
    throw new ConnectError(message, Code.Unimplemented);
  };
}
