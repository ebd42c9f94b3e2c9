import { Role, type User, UserSchema } from "@3l1/gen/user/v1/user_pb.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Account } from "./store.ts";

/** An account as its owner and administrators see it. */
export function toUser({ id, name, email, role, createdAt }: Account): User {
  return create(UserSchema, {
    id,
    name,
    email,
    role: toRole(role),
    createdAt: timestampFromDate(createdAt),
  });
}

export function toRole(role: Account["role"]): Role {
  return role === "admin" ? Role.ADMIN : Role.USER;
}
