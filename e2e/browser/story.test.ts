import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import type { Browser, Page } from "playwright-core";
import { adminEmail, adminPassword, type Platform, startPlatform } from "../../dev/own-platform.ts";
import { logIn, password, register } from "../client.ts";
import { launchChromium, noChromium } from "./chromium.ts";
import { connection, hear, logInAt, orderAt, press, screen, slip, visit } from "./visit.ts";

const skip = noChromium();
const newPassword = "an even longer passphrase than before";
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

test("register, order, see it change, cancel, end sessions, change the password, delete", {
  skip,
}, async (t) => {
  await using visitor = await visit(browser, url);
  const page = await visitor.open("/register");
  const email = "robin-of-the-story@example.com";

  await t.test("a bad registration is told at its fields", async () => {
    await page.getByLabel("Name").fill("Robin");
    await page.getByLabel("E-mail").fill("robin");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await press(page, "Make the account");
    const field = page.getByLabel("E-mail");
    await page.getByText("Must be a valid email address.").waitFor();
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await waitFor("the focus", () => page.evaluate("document.activeElement.name === 'email'"));
  });

  await t.test("a good one leads to an empty list", async () => {
    await page.getByLabel("E-mail").fill(email);
    await press(page, "Make the account");
    await screen(page, "Your orders");
    await page.getByRole("heading", { name: "No orders yet" }).waitFor();
  });

  await t.test("an order of two items is placed, and the first mistake is told first", async () => {
    await page.getByRole("link", { name: "Place an order" }).click();
    await screen(page, "New order");
    await page.getByLabel("Article").fill("tea-1");
    await page.getByLabel("Quantity").fill("2");
    await page.getByLabel("Price each").fill("4,50");
    await press(page, "Another item");
    await page.getByLabel("Article").nth(1).fill("blue mug");
    await page.getByLabel("Price each").nth(1).fill("12.50");
    await page.getByText("€21.50").waitFor();
    await press(page, "Place the order");
    const second = page.getByLabel("Article").nth(1);
    await page.locator(".field.wrong").waitFor();
    assert.equal(await second.getAttribute("aria-invalid"), "true");
    await second.fill("mug-blue");
    await press(page, "Place the order");
    await screen(page, "Your orders");
    await slip(page, "2 × tea-1 and 1 more").getByText("€21.50").waitFor();
  });

  await t.test("what an administrator does with an order shows without a reload", async () => {
    await connection(page, "Live");
    const id = await slip(page, "tea-1").getAttribute("data-order");
    const admin = await logIn(url, adminEmail, adminPassword);
    await admin.patch("/api/orders/status", { id, status: "ORDER_STATUS_DONE" });
    await slip(page, "tea-1").getByText("Done").waitFor();
    await hear(page, "An order is now done.");
  });

  await t.test("another one is cancelled, and its history says so", async () => {
    await orderAt(page, "kettle");
    await slip(page, "kettle").getByRole("link").click();
    await screen(page, "Order");
    await press(page, "Cancel the order");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel the order" }).click();
    await page.getByRole("listitem").filter({ hasText: "Cancelled by you" }).waitFor();
    await page.reload();
    await page.getByRole("listitem").filter({ hasText: "Cancelled by you" }).waitFor();
    await press(page, "Remove");
    await dialog.getByRole("button", { name: "Remove it" }).click();
    await screen(page, "Your orders");
    assert.equal(await slip(page, "kettle").count(), 0);
  });

  await t.test(
    "another device is logged out, and a new password takes the place of the old",
    async () => {
      const other = await logIn(url, email, password);
      await page.getByRole("link", { name: "Account" }).click();
      await screen(page, "Account");
      await press(page, "End it: the session of node");
      await hear(page, "That session has ended.");
      assert.equal((await other.get("/api/users/me")).status, 401);
      await page.getByLabel("Current password", { exact: true }).fill("not the password");
      await page.getByLabel("New password", { exact: true }).fill(newPassword);
      await press(page, "Change the password");
      await page.locator(".field.wrong").waitFor();
      await page.getByLabel("Current password", { exact: true }).fill(password);
      await press(page, "Change the password");
      await hear(page, "The password is changed.");
    },
  );

  await t.test(
    "logging out everywhere leads to the door, and the new password opens it",
    async () => {
      await press(page, "Log out everywhere");
      await page.getByRole("dialog").getByRole("button", { name: "Log out everywhere" }).click();
      await hear(page, "You are logged out everywhere.");
      await logInAt(page, email, newPassword);
      await screen(page, "Account");
    },
  );

  await t.test("the account is deleted, and nothing of it is left", async () => {
    await press(page, "Delete my account");
    await page.getByRole("dialog").getByRole("button", { name: "Delete it for good" }).click();
    await hear(page, "Your account is deleted.");
    await logInAt(page, email, newPassword);
    await page.getByRole("alert").waitFor();
    await screen(page, "Log in");
  });
});

test("a link to an order leads there, past the door and after a reload", { skip }, async () => {
  const ann = await register(url);
  const { body } = await ann.post<{ order: { id: string } }>("/api/orders/add", {
    items: [{ sku: "deep-link", quantity: 1, unitPriceMinor: 1 }],
    currencyCode: "EUR",
  });
  await using visitor = await visit(browser, url);
  const page = await visitor.open(`/orders/${body.order.id}`);
  await logInAt(page, ann.email);
  await screen(page, "Order");
  await page.reload();
  await page.getByText("1 × deep-link").waitFor();
  await page.goto(`${url}/#/orders/01980000-0000-7000-8000-000000000001`);
  await page.getByRole("heading", { name: "This order is not there" }).waitFor();
});

test("the keyboard is enough to log in and to order", { skip }, async () => {
  const ann = await register(url);
  await using visitor = await visit(browser, url);
  const page = await visitor.open();
  const { keyboard } = page;
  const tabTo = async (name: string) => {
    for (let presses = 0; presses < 25; presses++) {
      await keyboard.press("Tab");
      if ((await focused(page)) === name) return;
    }
    assert.fail(`no way to ${name}`);
  };
  await screen(page, "Log in");
  await tabTo("E-mail");
  await keyboard.type(ann.email);
  await tabTo("Password");
  await keyboard.type(password);
  await keyboard.press("Enter");
  await focusOn(page, "Your orders");
  await page.getByRole("link", { name: "Place an order" }).waitFor();
  await tabTo("Place an order");
  await keyboard.press("Enter");
  await focusOn(page, "New order");
  await tabTo("Article");
  await keyboard.type("by-keyboard");
  await tabTo("Price each");
  await keyboard.type("1");
  await tabTo("Another item");
  await keyboard.press("Enter");
  await focusOn(page, "Article");
  await keyboard.type("second");
  await tabTo("Price each");
  await keyboard.type("2");
  await keyboard.press("Enter");
  await focusOn(page, "Your orders");
  await slip(page, "by-keyboard").getByRole("link").focus();
  await keyboard.press("Enter");
  await focusOn(page, "Order");
  await page.getByRole("button", { name: "Cancel the order" }).waitFor();
  await tabTo("Cancel the order");
  await keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await focusOn(page, "Cancel the order");
});

/** What the element in focus is called. */
async function focused(page: Page): Promise<string> {
  const name = await page.evaluate<string>(`(({ labels, ariaLabel, textContent }) =>
    ariaLabel ?? labels?.[0]?.textContent ?? textContent)(document.activeElement)`);
  return name.trim();
}

function focusOn(page: Page, name: string): Promise<unknown> {
  return waitFor(`the focus on ${name}`, async () => (await focused(page)) === name);
}
