import type { User } from "@3l1/gen/user/v1/user_pb.ts";
import type { ComponentChildren } from "preact";
import { users } from "../api/clients.ts";
import { failureOf } from "../api/failure.ts";
import { isAdmin, leave } from "../api/session.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { toast } from "../parts/toasts.tsx";
import { Mark } from "./mark.tsx";
import { path } from "./router.ts";
import { ThemeButton } from "./theme-button.tsx";

interface Place {
  readonly to: string;
  readonly name: string;
  /** On a phone, where there is no room. */
  readonly short: string;
  readonly icon: IconName;
}

const own: readonly Place[] = [
  { to: "orders", name: "Your orders", short: "Orders", icon: "orders" },
  { to: "orders/new", name: "New order", short: "New", icon: "plus" },
  { to: "account", name: "Account", short: "Account", icon: "user" },
];
const administration: readonly Place[] = [
  { to: "admin/orders", name: "All orders", short: "All", icon: "stack" },
  { to: "admin/users", name: "Users", short: "Users", icon: "users" },
  { to: "admin/health", name: "Health", short: "Health", icon: "gauge" },
];

export interface FrameProps {
  readonly account: User;
  readonly children: ComponentChildren;
}

/** What stands around every screen of somebody who is logged in. */
export function Frame({ account, children }: FrameProps) {
  return (
    <div class="frame">
      <header class="rail">
        <a class="brand" href="#/orders" aria-label="3L1, your orders">
          <Mark /> 3L1
        </a>
        <nav aria-label="Console">
          <Places places={own} />
          {isAdmin.value && <Places places={administration} title="Administration" />}
        </nav>
        <div class="me">
          <span class="who" title={account.email}>
            {account.name}
          </span>
          <ThemeButton />
          <button type="button" class="bare" aria-label="Log out" title="Log out" onClick={logOut}>
            <Icon name="out" />
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Places({ places, title }: { readonly places: readonly Place[]; readonly title?: string }) {
  const here = path.value.join("/");
  const isHere = (to: string) =>
    here === to || (to === "orders" && here.startsWith("orders/") && here !== "orders/new");
  return (
    <>
      {title && <p class="group">{title}</p>}
      <ul>
        {places.map(({ to, name, short, icon }) => (
          <li key={to}>
            <a href={`#/${to}`} {...(isHere(to) && { "aria-current": "page" as const })}>
              <Icon name={icon} />
              <span class="long">{name}</span>
              <span class="short">{short}</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

async function logOut(): Promise<void> {
  try {
    await users.logout({});
    leave("You are logged out.");
  } catch (error) {
    toast(failureOf(error).message, "wrong");
  }
}
