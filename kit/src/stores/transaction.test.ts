import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { isDatabaseAway } from "../rpc/service-error.ts";
import { openDatabase } from "./database.ts";
import { sql } from "./drizzle.ts";

const server = new URL(process.env.TEST_DATABASE_URL ?? "");
const endings = {
  ended: (socket: Socket) => void socket.end(),
  reset: (socket: Socket) => void socket.resetAndDestroy(),
};

/** A way to PostgreSQL on which a connection ends instead of bringing the piece that `isLast` finds. */
async function openCutting(isLast: (piece: Buffer, index: number) => boolean, end = endings.ended) {
  const listener = net.createServer((near) => {
    const far = net.connect(Number(server.port), server.hostname).on("error", () => {});
    let pieces = 0;
    near.on("error", () => {}).on("close", () => far.destroy());
    near.on("data", (piece) => {
      if (isLast(piece, pieces++)) end(near);
      else far.write(piece);
    });
    far.pipe(near);
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const url = new URL(server);
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const { db, close } = openDatabase(url.href, "test");
  return {
    db,
    async [Symbol.asyncDispose]() {
      await close();
      listener.close();
    },
  };
}

for (const [ending, end] of Object.entries(endings)) {
  for (const statement of ["one", "two", "commit"]) {
    test(`a transaction whose connection is ${ending} at "${statement}" fails, and nothing else`, async () => {
      await using cutting = await openCutting((piece) => piece.includes(statement), end);
      const run = cutting.db.transaction(async (transaction) => {
        // While others get answers the pool stays as it is.
        await cutting.db.execute(sql`select 3`);
        await transaction.execute(sql`select 'one'`);
        await transaction.execute(sql`select 'two'`);
      });
      await assert.rejects(run, isDatabaseAway);
      await cutting.db.execute(sql`select 3`);
      // As many as there are connections: the lost one is opened again.
      await Promise.all(Array.from({ length: 10 }, () => cutting.db.execute(sql`select 3`)));
    });
  }

  test(`a connection that is ${ending} while it comes to be fails its query, and nothing else`, async () => {
    for (let last = 0; last < 5; last++) {
      // Once: postgres.js tries again when its greeting is not answered.
      const cuts = [last];
      const isLast = (_piece: Buffer, index: number) => index === cuts[0] && cuts.pop() === last;
      await using cutting = await openCutting(isLast, end);
      await cutting.db
        .execute(sql`select 1`)
        .catch((error) => assert.ok(isDatabaseAway(error), error));
    }
  });
}

test("what a transaction still wants to say when its connection is lost is not said", async () => {
  const gone = Promise.withResolvers<void>();
  const listened: string[] = [];
  const isLast = (piece: Buffer) => {
    listened.push(piece.toString("latin1"));
    return piece.includes("one");
  };
  await using cutting = await openCutting(isLast);
  const run = cutting.db.transaction(async (transaction) => {
    await transaction.execute(sql`select 'one'`).catch(() => {});
    await gone.promise;
    await transaction.execute(sql`select 'two'`);
  });
  await assert.rejects(run, isDatabaseAway);
  gone.resolve();
  await new Promise(setImmediate);
  assert.ok(!listened.some((piece) => piece.includes("two")));
});
