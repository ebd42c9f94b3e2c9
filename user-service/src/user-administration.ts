import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Role } from "@3l1/gen/user/v1/user_pb.ts";
import type { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { callerOf } from "@3l1/kit/auth/caller.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Parts } from "./parts.ts";
import { invalidSession, takeBackSessionKey } from "./session-opener.ts";
import type { Change } from "./store.ts";
import { toUser } from "./user-message.ts";

type Handlers = Pick<ServiceImpl<typeof UserService>, "deleteUser" | "listUsers" | "setUserRole">;

const defaultPageSize = 20;
/** What page tokens of this list belong to. */
const listOfUsers = "users";

/** What one does to accounts: one's own, or as an administrator others'. */
export function administrationHandlers(parts: Parts): Handlers {
  const { store, revoker, pageTokens, audit } = parts;
  return {
    async deleteUser(request, context) {
      const caller = callerOf(context);
      const id = request.id.toLowerCase() || caller.userId;
      const byOneself = id === caller.userId;
      if (!byOneself && !caller.isAdmin) throw notAllowed("delete another user");
      const { requestHeader: header } = context;
      const change = await store.remove(id, byOneself, header.get(metadata.traceparent));
      if (change.outcome === "not found" && byOneself) throw invalidSession();
      if (change.outcome !== "changed") throw refusal(change, "delete another administrator");
      parts.purgeSoon();
      context.responseHeader.set(metadata.revocation, await revoker.publish(change.revocation));
      if (byOneself) takeBackSessionKey(context);
      audit("user deleted", { userId: id, actorId: caller.userId, header });
      return {};
    },

    async listUsers({ pageSize = defaultPageSize, pageToken }) {
      const [before] = pageToken ? pageTokens.decode(pageToken, listOfUsers) : [];
      const accounts = await store.list(pageSize + 1, before);
      const page = accounts.slice(0, pageSize);
      const last = accounts.length > pageSize ? page.at(-1) : undefined;
      return {
        users: page.map(toUser),
        nextPageToken: last ? pageTokens.encode([last.id], listOfUsers) : "",
      };
    },

    async setUserRole(request, context) {
      const id = request.id.toLowerCase();
      const role = request.role === Role.ADMIN ? "admin" : "user";
      const change = await store.changeRole(id, role);
      if (change.outcome === "unchanged") return { user: toUser(change.account) };
      if (change.outcome !== "changed") throw refusal(change, "change the role");
      context.responseHeader.set(metadata.revocation, await revoker.publish(change.revocation));
      const { requestHeader: header } = context;
      audit("role changed", { userId: id, actorId: callerOf(context).userId, role, header });
      return { user: toUser(change.account) };
    },
  };
}

function refusal({ outcome }: Change, what: string): ConnectError {
  if (outcome === "last admin") {
    const message = "the last administrator has to stay";
    return failure(Code.FailedPrecondition, message, Reason.LAST_ADMIN);
  }
  if (outcome === "not allowed") return notAllowed(what);
  return new ConnectError("there is no such user", Code.NotFound);
}

function notAllowed(what: string): ConnectError {
  return new ConnectError(`you may not ${what}`, Code.PermissionDenied);
}
