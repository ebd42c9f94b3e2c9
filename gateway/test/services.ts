import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { createServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { createGrpcServer } from "@3l1/kit/grpc/server.ts";
import { Code, ConnectError, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import type { TokenMaker } from "./tokens.ts";

/** What the services behind the gateway do; a method that is not given is `unimplemented`. */
export interface Handlers {
  readonly user?: Partial<ServiceImpl<typeof UserService>>;
  readonly session?: Partial<ServiceImpl<typeof SessionService>>;
  readonly order?: Partial<ServiceImpl<typeof OrderService>>;
}

/** A call as it arrived. */
export interface Call {
  readonly method: string;
  readonly header: Headers;
  readonly message: unknown;
}

/** Servers of the same schema, whose contract is all that the gateway knows. */
export interface Services {
  readonly url: string;
  /** All calls so far, less those for the signing keys. */
  readonly calls: Call[];
  stop(): Promise<void>;
}

export async function startServices(
  handlers: Handlers,
  tokens: TokenMaker,
  secretKey: string,
): Promise<Services> {
  const calls: Call[] = [];
  const credential = createServiceCredential([secretKey]);
  const record: Interceptor = (next) => (request) => {
    const { method, header } = request;
    const message = request.stream ? undefined : request.message;
    if (method.name !== "GetSigningKeys") calls.push({ method: method.name, header, message });
    if (request.service === SessionService && !credential.accepts(header.get("service-credential")))
      throw new ConnectError("no credential", Code.PermissionDenied);
    return next(request);
  };
  const server = createGrpcServer({
    interceptors: [record],
    routes: (router) => {
      router.service(UserService, handlers.user ?? {});
      router.service(OrderService, handlers.order ?? {});
      router.service(SessionService, {
        getSigningKeys: () => ({ keys: [tokens.key] }),
        confirmSession: () => ({}),
        ...handlers.session,
      });
    },
  });
  const { port } = await server.listen(0, "127.0.0.1");
  return { url: `http://127.0.0.1:${port}`, calls, stop: () => server.drain(0) };
}
