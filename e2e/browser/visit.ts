import assert from "node:assert/strict";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { password } from "../client.ts";

/** How long a screen may take on a busy machine. */
const patienceMs = 30_000;

/** Somebody's browser: its own cookies, any number of tabs. */
export interface Visitor extends AsyncDisposable {
  readonly context: BrowserContext;
  /** Opens the console in a tab. */
  open(route?: string): Promise<Page>;
  /** What the pages complained of: scripts that threw, and what the content security policy refused. */
  readonly complaints: readonly string[];
}

/** Starts a visit of the console at `url`. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(patienceMs);
  const complaints: string[] = [];
  context.on("weberror", (error) => void complaints.push(String(error.error())));
  context.on("console", (message) => {
    // That a request was refused is told as an error as well; what the page makes of it is the story.
    const isComplaint = message.type() === "error" && !/Failed to load/.test(message.text());
    if (isComplaint) complaints.push(message.text());
  });
  return {
    context,
    complaints,
    async open(route = "/") {
      const page = await context.newPage();
      await page.goto(`${url}/#${route}`);
      return page;
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      assert.deepEqual(complaints, []);
    },
  };
}

/** Waits for a screen by its heading. */
export async function screen(page: Page, title: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
}

/** Logs in at the door. */
export async function logInAt(page: Page, email: string, secret = password): Promise<void> {
  await screen(page, "Log in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(secret);
  await press(page, "Log in");
}

/** Fills in a new order of one item, and places it. */
export async function orderAt(page: Page, sku: string, price = "4.50"): Promise<void> {
  await page.goto(`${page.url().split("#")[0]}#/orders/new`);
  await screen(page, "New order");
  await page.getByLabel("Article").fill(sku);
  await page.getByLabel("Price each").fill(price);
  await press(page, "Place the order");
  await screen(page, "Your orders");
}

/** Presses the button of this name. */
export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

/** An order in the list, by what is in it. */
export function slip(page: Page, text: string) {
  return page.locator(".slip", { hasText: text });
}

/** Waits for a text that a screen reader is told. */
export async function hear(page: Page, text: string): Promise<void> {
  await page.getByRole("status").filter({ hasText: text }).first().waitFor();
}

/** Waits until the live list says that it is in this state. */
export async function connection(page: Page, state: string): Promise<void> {
  await page.locator(".connection", { hasText: new RegExp(`^${state}$`) }).waitFor();
}
