import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings, urlOf } from "./settings.ts";

const root = "/repository";

test("without settings, the ports and the folder are those of the documentation", () => {
  const { gateway, userService, orderService, ...rest } = readSettings({}, [], root);
  const ports = [gateway, userService, orderService].flatMap((s) => [s.public.port, s.admin.port]);
  assert.deepEqual(ports, [8080, 6060, 50_051, 6061, 50_052, 6062]);
  assert.equal(gateway.public.host, "127.0.0.1");
  assert.deepEqual(rest, { platformDir: "/repository/.local", demo: true, watch: false });
});

test("bad settings are told all at once, by name", () => {
  const env = { GATEWAY_PORT: "http", ORDER_SERVICE_ADMIN_PORT: "70000", PLATFORM_DEMO: "maybe" };
  assert.throws(
    () => readSettings(env, [], root),
    (error: Error) =>
      ["GATEWAY_PORT", "ORDER_SERVICE_ADMIN_PORT", "PLATFORM_DEMO"].every((name) =>
        error.message.includes(name),
      ),
  );
});

test("an unknown argument is answered with the usage", () => {
  assert.throws(() => readSettings({}, ["--wach"], root), /--wach[\s\S]*--watch/);
});

test("a listener on all addresses is called by loopback", () => {
  const url = (host: string) =>
    urlOf(readSettings({ GATEWAY_HOST: host }, [], root).gateway.public);
  assert.equal(url("0.0.0.0"), "http://127.0.0.1:8080");
  assert.equal(url("::"), "http://[::1]:8080");
  assert.equal(url("10.1.2.3"), "http://10.1.2.3:8080");
});
