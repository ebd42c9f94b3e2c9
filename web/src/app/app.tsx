import { useEffect } from "preact/hooks";
import { AccountPage } from "../account/account-page.tsx";
import { LogInPage } from "../account/log-in-page.tsx";
import { RegisterPage } from "../account/register-page.tsx";
import { AllOrdersPage } from "../admin/all-orders-page.tsx";
import { HealthPage } from "../admin/health-page.tsx";
import { UsersPage } from "../admin/users-page.tsx";
import { isAdmin, user } from "../api/session.ts";
import { NewOrderPage } from "../orders/new-order-page.tsx";
import { OrderPage } from "../orders/order-page.tsx";
import { OrdersPage } from "../orders/orders-page.tsx";
import { Empty, Page } from "../parts/page.tsx";
import { Toasts } from "../parts/toasts.tsx";
import { Frame } from "./frame.tsx";
import { go, path } from "./router.ts";
import { Threshold } from "./threshold.tsx";

/** All of the console: who is not logged in stands before the door, whatever was asked for. */
export function App() {
  const account = user.value;
  const [first = ""] = path.value;
  const atDoor = first === "" || first === "login" || first === "register";
  useEffect(() => {
    if (account && atDoor) go("/orders", { replace: true });
  }, [account, atDoor]);
  return (
    <>
      <SkipLink />
      {account === undefined && <Threshold />}
      {account === null && (
        <main id="main" tabIndex={-1}>
          {first === "register" ? <RegisterPage key="register" /> : <LogInPage key="login" />}
        </main>
      )}
      {account && !atDoor && (
        <Frame account={account}>
          <Screen key={path.value.join("/")} />
        </Frame>
      )}
      <Toasts />
    </>
  );
}

function Screen() {
  const [first, second, ...more] = path.value;
  if (more.length > 0) return <Nowhere />;
  if (first === "orders" && second === undefined) return <OrdersPage />;
  if (first === "orders" && second === "new") return <NewOrderPage />;
  if (first === "orders") return <OrderPage id={second ?? ""} />;
  if (first === "account" && second === undefined) return <AccountPage />;
  if (first === "admin" && isAdmin.value) {
    if (second === "orders") return <AllOrdersPage />;
    if (second === "users") return <UsersPage />;
    if (second === "health") return <HealthPage />;
  }
  return <Nowhere />;
}

function Nowhere() {
  return (
    <Page title="Nothing here">
      <Empty title="There is no such page">
        <a class="button quiet" href="#/orders">
          Your orders
        </a>
      </Empty>
    </Page>
  );
}

/** The hash is the router's, so this is a button that moves the focus by itself. */
function SkipLink() {
  return (
    <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
      Skip to the content
    </button>
  );
}
