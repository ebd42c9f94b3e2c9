import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  CreateOrderResponseJson,
  ListOrderEventsResponseJson,
  ListOrdersResponseJson,
  SetOrderStatusResponseJson,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import postgres from "postgres";
import { startPlatform } from "../dev/own-platform.ts";
import type { Program } from "../dev/unpacked-program.ts";
import { items, logIn, password, register } from "./client.ts";
import { openDatabases } from "./databases.ts";
import { findPgBouncer, startPooledPostgres } from "./pgbouncer.ts";

const people = 20;

test("through PgBouncer in session mode the platform does what it does without", async (t) => {
  const program = await findPgBouncer().catch((error: Error) => error);
  if (program instanceof Error) return t.skip(`there is no PgBouncer: ${program.message}`);
  await tellMainJob(program);
});

async function tellMainJob(program: Program): Promise<void> {
  await using scope = new AsyncDisposableStack();
  const pooled = scope.use(await startPooledPostgres(program));
  const platform = await startPlatform({
    USER_DATABASE_URL: pooled.userDatabaseUrl,
    ORDER_DATABASE_URL: pooled.orderDatabaseUrl,
  });
  scope.defer(async () => assert.equal(await platform.stop(), 0));

  const everybody: Awaited<ReturnType<typeof register>>[] = [];
  for (let index = 0; index < people; index++) everybody.push(await register(platform.gatewayUrl));
  await Promise.all(everybody.map(placeCancelAndList));
  const [gone, ...others] = everybody;
  await logIn(platform.gatewayUrl, others[0]?.email ?? "", password);
  assert.equal((await gone?.delete("/api/users/del"))?.status, 204);

  const databases = scope.use(openDatabases(pooled.url));
  await waitFor("the orders of the deleted user to go", async () => {
    const [left] = await databases.orders`select from orders where user_id = ${gone?.id ?? ""}`;
    return left === undefined;
  });
  const [count] = await databases.orders`select count(*)::int from orders`;
  assert.equal(count?.count, others.length);
  await assertSettings(pooled.orderDatabaseUrl);
}

async function placeCancelAndList(person: Awaited<ReturnType<typeof register>>): Promise<void> {
  const body = { items, currencyCode: "EUR" };
  const headers = { "idempotency-key": person.id };
  const twice = [0, 1].map(() =>
    person.post<CreateOrderResponseJson>("/api/orders/add", body, headers),
  );
  const [one, other] = await Promise.all(twice);
  assert.equal(one?.status, 201);
  assert.deepEqual(one?.body, other?.body);
  const id = one?.body.order?.id;
  const cancel = { id, status: "ORDER_STATUS_CANCELLED" };
  const { body: changed } = await person.send<SetOrderStatusResponseJson>(
    "PATCH",
    "/api/orders/status",
    cancel,
  );
  assert.equal(changed.order?.version, 2);
  const { body: list } = await person.get<ListOrdersResponseJson>("/api/orders/list");
  assert.deepEqual(list.orders, [changed.order]);
  const { body: history } = await person.get<ListOrderEventsResponseJson>(
    `/api/orders/history?id=${id}`,
  );
  assert.equal(history.events?.length, 2);
}

/** The role has what PgBouncer did not hand on. */
async function assertSettings(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const [settings] = await sql`
      select current_setting('statement_timeout') as timeout, current_setting('enable_sort') as sort,
        current_setting('enable_incremental_sort') as incremental`;
    assert.deepEqual({ ...settings }, { timeout: "4s", sort: "off", incremental: "off" });
  } finally {
    await sql.end();
  }
}
