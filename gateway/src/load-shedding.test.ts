import assert from "node:assert/strict";
import { test } from "node:test";
import { Criticality } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { LoadShedding } from "./load-shedding.ts";

const late = 200;

function sharesAfter(shedding: LoadShedding, readings: number, utilization: number, lateMs = late) {
  for (let reading = 0; reading < readings; reading++) shedding.sample({ utilization, lateMs });
  return {
    sheddable: shedding.share(Criticality.SHEDDABLE),
    default: shedding.share(Criticality.DEFAULT),
    unmarked: shedding.share(Criticality.UNSPECIFIED),
    critical: shedding.share(Criticality.CRITICAL),
  };
}

const nothing = { sheddable: 0, default: 0, unmarked: 0, critical: 0 };

test("below the marks nothing is shed, however late the loop is", () => {
  assert.deepEqual(sharesAfter(new LoadShedding(), 100, 0.89), nothing);
});

test("a loop that is always busy but on time sheds nothing", () => {
  assert.deepEqual(sharesAfter(new LoadShedding(), 100, 1, 50), nothing);
});

test("one pause in a quiet loop sheds nothing", () => {
  const shedding = new LoadShedding();
  sharesAfter(shedding, 20, 0.5, 0);
  assert.deepEqual(sharesAfter(shedding, 1, 1), nothing);
  assert.deepEqual(sharesAfter(shedding, 20, 0.5, 0), nothing);
});

test("above 0.9 what is sheddable goes first, above 0.97 the default too, and never what is critical", () => {
  const above = sharesAfter(new LoadShedding(), 100, 0.95);
  assert.deepEqual(above, { ...nothing, sheddable: 1 });
  const shedding = new LoadShedding();
  const soon = sharesAfter(shedding, 10, 1);
  assert.ok(soon.sheddable > 0.2 && soon.default < soon.sheddable / 3, JSON.stringify(soon));
  assert.deepEqual(sharesAfter(shedding, 100, 1), {
    sheddable: 1,
    default: 1,
    unmarked: 1,
    critical: 0,
  });
});

test("with room again all are served again, the default first", () => {
  const shedding = new LoadShedding();
  sharesAfter(shedding, 100, 1);
  const better = sharesAfter(shedding, 30, 0.92);
  assert.deepEqual([better.sheddable, better.default], [1, 0]);
  assert.deepEqual(sharesAfter(shedding, 30, 0.5, 0), nothing);
});

test("load that can be shed settles at the mark instead of swinging", () => {
  const shedding = new LoadShedding();
  const offered = { critical: 0.5, sheddable: 0.9 };
  const seen: number[] = [];
  for (let reading = 0; reading < 300; reading++) {
    const kept = 1 - shedding.share(Criticality.SHEDDABLE);
    const utilization = Math.min(1, offered.critical + offered.sheddable * kept);
    shedding.sample({ utilization, lateMs: utilization > 0.8 ? late : 0 });
    seen.push(utilization);
  }
  const settled = seen.slice(-100);
  assert.ok(Math.min(...settled) > 0.85 && Math.max(...settled) < 0.95, settled.join(" "));
});
