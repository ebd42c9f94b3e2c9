import { render } from "preact";
import { App } from "./app/app.tsx";
import { followTheme } from "./app/theme.ts";
import { followOrders } from "./orders/live-orders.ts";

followTheme();
followOrders();
render(<App />, document.getElementById("app") as HTMLElement);
