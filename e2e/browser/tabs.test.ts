import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ListSessionsResponseJson } from "@3l1/gen/user/v1/user_service_pb.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import type { Browser, Page } from "playwright-core";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { placeOrder, register } from "../client.ts";
import { launchChromium, noChromium } from "./chromium.ts";
import { createHoldingProxy } from "./holding-proxy.ts";
import { connection, hear, logInAt, orderAt, press, screen, slip, visit } from "./visit.ts";

const skip = noChromium();
let platform: Platform;
let browser: Browser;
let url: string;
before(async () => {
  if (skip) return;
  const env = {
    ACCESS_TOKEN_TTL_SECONDS: "3",
    SESSION_ROTATE_AFTER_SECONDS: "1",
    SESSION_GRACE_SECONDS: "5",
  };
  [platform, browser] = await Promise.all([startPlatform(env), launchChromium()]);
  url = platform.gatewayUrl;
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

/** Ann, and her browser with a tab that shows her orders. */
async function annAtHerOrders(at = url) {
  const ann = await register(url);
  const visitor = await visit(browser, at);
  const page = await visitor.open();
  await logInAt(page, ann.email);
  await connection(page, "Live");
  return { ann, visitor, page };
}

/** The next token that the page is given. */
function reissue(page: Page): Promise<unknown> {
  return page.waitForResponse((response) => response.headers()["x-access-token"] !== undefined);
}

test("two tabs show the same orders, and logging out of one ends the other", { skip }, async () => {
  const { visitor, page: one } = await annAtHerOrders();
  await using _ = visitor;
  const two = await visitor.open();
  await connection(two, "Live");
  await orderAt(one, "seen-by-both");
  await slip(two, "seen-by-both").waitFor();
  await slip(two, "seen-by-both").getByRole("link").click();
  await screen(two, "Order");
  await press(two, "Cancel the order");
  await two.getByRole("dialog").getByRole("button", { name: "Cancel the order" }).click();
  await slip(one, "seen-by-both").getByText("Cancelled").waitFor();
  await press(one, "Log out");
  await hear(one, "You are logged out.");
  await hear(two, "Your session has ended.");
});

test("a new password in one tab leaves the other logged in, however late its cookie comes", {
  skip,
}, async () => {
  const late = Promise.withResolvers<void>();
  const isLate = (path: string) => path.endsWith("/ChangePassword");
  const release = async (path: string) => (isLate(path) ? late.promise : undefined);
  await using proxy = await createHoldingProxy(url, release);
  const { visitor, page: one } = await annAtHerOrders(proxy.url);
  await using _ = visitor;
  const two = await visitor.open("/account");
  await two.getByLabel("Current password", { exact: true }).fill("a long enough passphrase");
  await two.getByLabel("New password", { exact: true }).fill("another long enough passphrase");
  await press(two, "Change the password");
  await waitFor("the other tab to wait for the cookie", () =>
    one.evaluate<boolean>("navigator.locks.query().then(({ pending }) => pending.length > 0)"),
  );
  late.resolve();
  await hear(two, "The password is changed.");
  await connection(one, "Live");
  await orderAt(one, "after-the-change");
  await slip(one, "after-the-change").waitFor();
});

test("a token that expires is noticed by nobody", { skip }, async () => {
  const { ann, visitor, page } = await annAtHerOrders();
  await using _ = visitor;
  await page.evaluate(`
    window.states = new Set();
    new MutationObserver(() => states.add(document.querySelector(".connection")?.textContent))
      .observe(document.body, { subtree: true, childList: true, characterData: true });`);
  for (const round of [1, 2]) {
    await reissue(page);
    await placeOrder(ann, `round ${round}`);
    await slip(page, `round ${round}`).waitFor();
  }
  const states = await page.evaluate("[...states]");
  assert.deepEqual(states, ["Live"]);
});

test("a session that was revoked elsewhere leads to the door with a word", { skip }, async () => {
  const { ann, visitor, page } = await annAtHerOrders();
  await using _ = visitor;
  const { body } = await ann.get<ListSessionsResponseJson>("/api/users/sessions");
  const chrome = body.sessions?.find(({ device }) => device?.includes("Chrome"));
  const answer = await ann.delete(`/api/users/sessions?id=${chrome?.id}`);
  assert.equal(answer.status, 204);
  await screen(page, "Log in");
  await hear(page, "Your session has ended. Please log in again.");
  await page.reload();
  await screen(page, "Log in");
});

test("the list comes back to life after the gateway was killed, and has missed nothing", {
  skip,
}, async () => {
  const { ann, visitor, page } = await annAtHerOrders();
  await using _ = visitor;
  await placeOrder(ann, "before");
  await slip(page, "before").waitFor();
  const { pid } = (await platform.now()).gateway;
  process.kill(pid, "SIGKILL");
  await connection(page, "Reconnecting");
  await waitFor("another gateway", async () => (await platform.now()).gateway.pid !== pid);
  await waitFor("it to answer", () => placeOrder(ann, "meanwhile").catch(() => undefined));
  await slip(page, "meanwhile").waitFor();
  await connection(page, "Live");
});

test("without a network the page says so, and catches up afterwards", { skip }, async () => {
  const { ann, visitor, page } = await annAtHerOrders();
  await using _ = visitor;
  await visitor.context.setOffline(true);
  await connection(page, "Offline");
  await placeOrder(ann, "while away");
  await page.getByRole("link", { name: "Account" }).click();
  await page.getByRole("alert").filter({ hasText: "Are you online?" }).waitFor();
  await visitor.context.setOffline(false);
  await press(page, "Try again");
  await page.getByText("this one").waitFor();
  await page.getByRole("link", { name: "Your orders", exact: true }).click();
  await slip(page, "while away").waitFor();
  await connection(page, "Live");
});
