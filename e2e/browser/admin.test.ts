import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { adminEmail, adminPassword, type Platform, startPlatform } from "../../dev/own-platform.ts";
import { placeOrder, register } from "../client.ts";
import { launchChromium, noChromium } from "./chromium.ts";
import { hear, logInAt, press, screen, visit } from "./visit.ts";

const skip = noChromium();
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
let platform: Platform;
let browser: Browser;
let url: string;
before(async () => {
  if (skip) return;
  [platform, browser] = await Promise.all([startPlatform(), launchChromium()]);
  url = platform.gatewayUrl;
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

test("an administrator sees all orders, filters them and sets their status", { skip }, async () => {
  const [ann, bob] = await Promise.all([register(url, "Ann"), register(url, "Bob")]);
  const [first, second] = await Promise.all([placeOrder(ann), placeOrder(bob)]);
  await using visitor = await visit(browser, url);
  const page = await visitor.open("/admin/orders");
  await logInAt(page, adminEmail, adminPassword);
  await screen(page, "All orders");
  const row = (id: string) => page.locator(`tr[data-order="${id}"]`);
  await row(first.id).getByRole("button", { name: "Done" }).click();
  await row(first.id).getByText("Done").waitFor();
  await page.getByRole("link", { name: "Processing" }).click();
  await row(first.id).waitFor({ state: "detached" });
  await row(second.id).waitFor();

  await bob.patch("/api/orders/status", { id: second.id, status: "ORDER_STATUS_CANCELLED" });
  await row(second.id).getByRole("button", { name: "Done" }).click();
  await hear(page, "The order has changed meanwhile.");
  await row(second.id).getByText("Cancelled").waitFor();
});

test("an administrator gives a role and deletes an account", { skip }, async () => {
  const [cleo, dan] = await Promise.all([register(url, "Cleo"), register(url, "Dan")]);
  await using visitor = await visit(browser, url);
  const page = await visitor.open("/admin/users");
  await logInAt(page, adminEmail, adminPassword);
  await screen(page, "Users");
  const row = (email: string) => page.locator(`li[data-user="${email}"]`);
  const confirm = (name: string) => page.getByRole("dialog").getByRole("button", { name }).click();
  await row(cleo.email).getByRole("button", { name: "Make an administrator" }).click();
  await confirm("Make an administrator");
  await hear(page, "Cleo is an administrator now.");
  await row(dan.email).getByRole("button", { name: "Delete Dan" }).click();
  await confirm("Delete it for good");
  await row(dan.email).waitFor({ state: "detached" });
  assert.equal((await dan.get("/api/users/me")).status, 401);
});

test("the health page draws breakers, traffic, limits and sessions", { skip }, async () => {
  await using visitor = await visit(browser, url);
  const page = await visitor.open("/admin/health");
  await logInAt(page, adminEmail, adminPassword);
  await screen(page, "Health");
  for (const name of ["user-service", "order-service"])
    await page.locator(`[data-upstream="${name}"]`).getByText("closed", { exact: true }).waitFor();
  for (const name of ["Requests", "Routes", "Limits", "Sessions", "Gateway"])
    await page.getByRole("heading", { level: 2, name, exact: true }).waitFor();
  await page.getByRole("rowheader", { name: "POST UserService/Login" }).waitFor();
  const drawn = page.locator(".chart .area[d^=M]").first();
  await drawn.waitFor({ state: "attached" });
});

test("who is no administrator has no such pages", { skip }, async () => {
  const ann = await register(url, "Ann");
  await using visitor = await visit(browser, url);
  const page = await visitor.open("/admin/health");
  await logInAt(page, ann.email);
  await screen(page, "Nothing here");
  assert.equal(await page.getByText("Administration").count(), 0);
});

for (const colorScheme of ["light", "dark"] as const)
  test(`axe finds nothing serious on any screen, ${colorScheme}`, { skip }, async () => {
    const viewport =
      colorScheme === "light" ? { width: 1280, height: 800 } : { width: 390, height: 844 };
    // The page's own policy would not let axe in.
    const options = { colorScheme, viewport, bypassCSP: true, reducedMotion: "reduce" } as const;
    await using visitor = await visit(browser, url, options);
    const page = await visitor.open("/register");
    await screen(page, "Make an account");
    await press(page, "Make the account");
    await page.getByRole("alert").waitFor();
    await examine(page, "register");
    await page.goto(`${url}/#/orders`);
    await logInAt(page, adminEmail, adminPassword);
    const screens = [
      ["/orders", "Your orders", ".empty"],
      ["/orders/new", "New order", "form"],
      ["/account", "Account", ".rows li"],
      ["/admin/orders", "All orders", "tbody tr"],
      ["/admin/users", "Users", ".rows li"],
      ["/admin/health", "Health", ".panel"],
    ] as const;
    for (const [route, title, content] of screens) {
      await page.goto(`${url}/#${route}`);
      await screen(page, title);
      await page.locator(content).first().waitFor();
      await examine(page, title);
    }
    await page.goto(`${url}/#/admin/orders`);
    await page.locator("tbody tr a").first().click();
    await page.locator(".history li").first().waitFor();
    await press(page, "Remove");
    await page.getByRole("dialog").waitFor();
    await examine(page, "Order");
  });

async function examine(page: Page, what: string): Promise<void> {
  await page.addScriptTag({ path: axe });
  const found = await page.evaluate<{ impact: string; text: string }[]>(`
    axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
      violations.map(({ id, impact, nodes }) => ({
        impact,
        text: id + ": " + nodes.map(({ html, failureSummary }) => html + " " + failureSummary).join("\\n"),
      })))`);
  const serious = found.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(
    serious.map(({ text }) => text),
    [],
    what,
  );
}
