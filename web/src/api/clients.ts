import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { Access, policy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { PlatformService } from "@3l1/gen/platform/v1/platform_service_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { getOption } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { accessToken, comeBack } from "./session.ts";
import { exchangeSession } from "./session-lock.ts";
import { plainTransport } from "./transport.ts";

/** What was refused for its token never ran: it can be sent again once there is a good one. */
const tryAgainWithCookie: Interceptor = (next) => async (request) => {
  const isPublic = getOption(request.method, policy).access === Access.ANYONE;
  if (request.stream || isPublic) return next(request);
  try {
    return await next(request);
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    if (error.code !== Code.Unauthenticated) throw error;
    await comeBack(error);
    request.header.delete("authorization");
    return next(request);
  }
};

/** A new password ends the session and opens another. */
const exchange: Interceptor = (next) => (request) =>
  request.method === UserService.method.changePassword
    ? exchangeSession(() => next(request))
    : next(request);

const transport = plainTransport(accessToken, tryAgainWithCookie, exchange);

/** Accounts and sessions. */
export const users = createClient(UserService, transport);
/** Orders. */
export const orders = createClient(OrderService, transport);
/** The platform's health. */
export const platform = createClient(PlatformService, transport);
