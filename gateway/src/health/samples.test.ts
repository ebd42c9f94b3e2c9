import assert from "node:assert/strict";
import { test } from "node:test";
import { Counter, Histogram, Registry } from "@prometheus-io/client";
import { healthSamples, maxHealthRoutes } from "../limits.ts";
import { createHealthSamples } from "./samples.ts";
import { seriesOf } from "./series.ts";
import { routesOf, totalOf } from "./traffic.ts";

const routes = ["/one", "/two"];

function rig() {
  const registry = new Registry();
  const registers = [registry];
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "requests",
    labelNames: ["method", "route", "status_code"],
    buckets: [0.1, 1],
    registers,
  });
  const renewals = new Counter({
    name: "session_renewals_total",
    help: "renewals",
    labelNames: ["outcome"],
    registers,
  });
  let nowMs = 0;
  const samples = createHealthSamples(registry, () => (nowMs += 5_000));
  const ask = (route: string, status: number, seconds: number) =>
    duration.observe({ method: "GET", route, status_code: status }, seconds);
  return { samples, ask, renewals };
}

test("a series holds what happened between two samples, the oldest first", async () => {
  const { samples, ask, renewals } = rig();
  ask("/one", 200, 0.05);
  renewals.inc({ outcome: "renewed" }, 7);
  await samples.take();
  ask("/one", 200, 0.05);
  ask("/one", 503, 0.5);
  renewals.inc({ outcome: "renewed" }, 2);
  renewals.inc({ outcome: "failed" });
  await samples.take();
  await samples.take();
  ask("/two", 404, 0.05);
  ask("/two", 200, 0.05);
  await samples.take();

  const total = totalOf(samples.kept);
  assert.deepEqual(total.requests, [2, 0, 2]);
  assert.deepEqual(total.clientErrors, [0, 0, 1]);
  assert.deepEqual(total.serverErrors, [1, 0, 0]);
  assert.deepEqual(total.p50Ms, [100, 0, 50]);
  assert.deepEqual(total.p99Ms, [982, 0, 99]);
  assert.equal(total.overallP50Ms, 66.67);
  const series = seriesOf(samples.kept);
  const renewed = ["session_renewals_total", { outcome: "renewed" }] as const;
  assert.deepEqual(series.rises(renewed), [2, 0, 0]);
  assert.deepEqual(
    series.rises(renewed, ["session_renewals_total", { outcome: "failed" }]),
    [3, 0, 0],
  );
  assert.deepEqual(series.rises(["nothing_total"]), [0, 0, 0]);
  assert.deepEqual(
    samples.kept.map(({ atMs }) => atMs),
    [5_000, 10_000, 15_000, 20_000],
  );
});

test("routes come by how busy they were, and those that nobody used of late not at all", async () => {
  const { samples, ask } = rig();
  ask("/idle", 200, 0.05);
  await samples.take();
  for (const route of [...routes, "/two"]) ask(route, 200, 0.05);
  await samples.take();
  const told = routesOf(samples.kept);
  assert.deepEqual(
    told.map(({ method, route }) => [method, route]),
    [
      ["GET", "/two"],
      ["GET", "/one"],
    ],
  );
  assert.deepEqual(told[0]?.traffic?.requests, [2]);
});

test("however long it runs and whatever is asked, what is kept and told has a bound", async () => {
  const { samples, ask } = rig();
  for (let i = 0; i < healthSamples + 10; i++) {
    for (let route = 0; route < maxHealthRoutes + 10; route++) ask(`/${route}`, 200, 0.05);
    await samples.take();
  }
  assert.equal(samples.kept.length, healthSamples + 1);
  assert.equal(routesOf(samples.kept).length, maxHealthRoutes);
  assert.equal(totalOf(samples.kept).requests?.length, healthSamples);
});

test("before there are two samples every series is empty", async () => {
  const { samples, ask } = rig();
  ask("/one", 200, 0.05);
  assert.deepEqual(totalOf(samples.kept).requests, []);
  await samples.take();
  assert.deepEqual(totalOf(samples.kept).requests, []);
  assert.deepEqual(routesOf(samples.kept), []);
});
