// What `npm run screenshots` does: takes the pictures of the README from a platform of its own.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { adminEmail, adminPassword, startPlatform } from "../dev/own-platform.ts";
import { launchChromium } from "../e2e/browser/chromium.ts";
import { connection, logInAt, visit } from "../e2e/browser/visit.ts";
import { type Client, logIn, register } from "../e2e/client.ts";
import { root } from "./run.ts";

/** The oldest first. */
const orders = [
  [[["kettle-1l", 1, 5900]], "EUR", "", "ORDER_STATUS_DONE"],
  [[["tea-earl-grey", 2, 499]], "EUR", "Leave it with the neighbours", "ORDER_STATUS_DONE"],
  [[["book-of-tea", 1, 2480]], "JPY", "", "ORDER_STATUS_CANCELLED"],
  [
    [
      ["mug-blue", 4, 1250],
      ["spoon", 4, 320],
    ],
    "EUR",
    "A present: no price tag, please",
    undefined,
  ],
  [[["tea-sencha", 3, 875]], "EUR", "Ring twice", undefined],
] as const;

const folder = join(root, "docs/images");
await mkdir(folder, { recursive: true });
const platform = await startPlatform();
const browser = await launchChromium();
try {
  const robin = await register(platform.gatewayUrl, "Robin");
  await placeOrders(robin, await logIn(platform.gatewayUrl, adminEmail, adminPassword));
  for (const colorScheme of ["light", "dark"] as const) {
    const viewport = { width: 1100, height: 600 };
    await using visitor = await visit(browser, platform.gatewayUrl, { colorScheme, viewport });
    const page = await visitor.open();
    await logInAt(page, robin.email);
    await connection(page, "Live");
    await page
      .locator(".slip")
      .nth(orders.length - 1)
      .waitFor();
    await page.mouse.move(0, 0);
    await page.screenshot({ path: join(folder, `console-${colorScheme}.png`) });
  }
} finally {
  await browser.close();
  await platform.stop();
}

async function placeOrders(owner: Client, admin: Client): Promise<void> {
  for (const [lines, currencyCode, note, status] of orders) {
    const items = lines.map(([sku, quantity, unitPriceMinor]) => ({
      sku,
      quantity,
      unitPriceMinor,
    }));
    const body = { items, currencyCode, note };
    const answer = await owner.post<{ order: { id: string } }>("/api/orders/add", body);
    if (status) await admin.patch("/api/orders/status", { id: answer.body.order.id, status });
  }
}
