import { test } from "node:test";
import { type Fleet, startFleet } from "../fleet.ts";
import { replaceInTurn, replaceSideBySide, rollUnderLoad } from "../rolling-restart.ts";

test("three of each, replaced one by one and then three times side by side: no request fails", async (t) => {
  await using fleet = await startFleet({ gateways: 3, userServices: 3, orderServices: 3 });
  await rollUnderLoad(t, fleet, async (all: Fleet) => {
    await replaceInTurn([...all.gateways, ...all.userServices, ...all.orderServices]);
    for (let round = 0; round < 3; round++) await replaceSideBySide(all);
  });
});
