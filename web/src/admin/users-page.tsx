import { Role, type User } from "@3l1/gen/user/v1/user_pb.ts";
import { useSignal } from "@preact/signals";
import { users } from "../api/clients.ts";
import { user as self } from "../api/session.ts";
import { Alert } from "../parts/alert.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { Page, Skeleton } from "../parts/page.tsx";
import { Ago } from "../parts/time.tsx";
import { toast } from "../parts/toasts.tsx";
import { type Pages, usePages } from "./pages.ts";

/** Everybody who has an account, for administrators. */
export function UsersPage() {
  const pages = usePages<User>(async (pageToken) => {
    const page = await users.listUsers({ pageToken });
    return { items: page.users, nextPageToken: page.nextPageToken };
  }, []);
  const failure = pages.failure.value;
  return (
    <Page title="Users">
      {failure && <Alert text={failure.message} retry={pages.reload} />}
      {pages.items.value === undefined && !failure && <Skeleton rows={5} />}
      <ul class="rows">
        {pages.items.value?.map((user) => (
          <UserRow key={user.id} user={user} pages={pages} />
        ))}
      </ul>
      {pages.hasMore.value && (
        <button type="button" class="quiet more" onClick={() => void pages.more()}>
          Show more users
        </button>
      )}
    </Page>
  );
}

function UserRow({ user, pages }: { readonly user: User; readonly pages: Pages<User> }) {
  const asking = useSignal<"" | "role" | "delete">("");
  const { id, name, email, role, createdAt } = user;
  const isSelf = id === self.value?.id;
  const isAdmin = role === Role.ADMIN;
  const closed = () => (asking.value = "");
  async function setRole(): Promise<void> {
    const next = await users.setUserRole({ id, role: isAdmin ? Role.USER : Role.ADMIN });
    pages.replace(user, next.user);
    toast(`${name} is ${isAdmin ? "no administrator any more" : "an administrator now"}.`);
  }
  async function remove(): Promise<void> {
    await users.deleteUser({ id });
    pages.replace(user, undefined);
    toast(`The account of ${name} is deleted.`);
  }
  return (
    <li data-user={email}>
      <span class="initial" aria-hidden="true">
        {name.trim().charAt(0).toUpperCase()}
      </span>
      <div class="grow">
        <strong>{name}</strong>
        {isAdmin && <span class="tag">administrator</span>}
        {isSelf && <span class="tag">you</span>}
        <br />
        <small>
          {email} · since <Ago at={createdAt} /> ·{" "}
          <a href={`#/admin/orders?user=${id}`} aria-label={`Orders of ${name}`}>
            orders
          </a>
        </small>
      </div>
      {!isSelf && (
        <div class="acts">
          <button type="button" class="quiet" onClick={() => (asking.value = "role")}>
            {isAdmin ? "Make a user" : "Make an administrator"}
          </button>
          {!isAdmin && (
            <button
              type="button"
              class="quiet"
              aria-label={`Delete ${name}`}
              onClick={() => (asking.value = "delete")}
            >
              Delete
            </button>
          )}
        </div>
      )}
      {asking.value === "role" && (
        <Confirm
          title={isAdmin ? `Take ${name}’s rights?` : `Make ${name} an administrator?`}
          verb={isAdmin ? "Make a user" : "Make an administrator"}
          danger={false}
          act={setRole}
          closed={closed}
        >
          <p>
            {isAdmin
              ? "They will see their own orders alone."
              : "They will see and change all orders and users."}{" "}
            They are logged out now, and log in with the new role.
          </p>
        </Confirm>
      )}
      {asking.value === "delete" && (
        <Confirm
          title={`Delete ${name}’s account?`}
          verb="Delete it for good"
          act={remove}
          closed={closed}
        >
          <p>
            <strong>{email}</strong> is logged out at once, and the orders are removed soon after.
          </p>
        </Confirm>
      )}
    </li>
  );
}
