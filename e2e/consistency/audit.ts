import type { Databases } from "../databases.ts";
import type { AccountRecord, Journal, OrderRecord } from "./journal.ts";

interface UserRow {
  readonly id: string;
  readonly email: string;
}

interface OrderRow {
  readonly id: string;
  readonly user_id: string;
  readonly note: string;
  readonly total_minor: string;
  readonly status: "processing" | "done" | "cancelled";
  readonly version: number;
  /** Its history: the status before and after each event. */
  readonly history: readonly (readonly [from: string | null, to: string])[];
}

/** Holds what clients were told against the databases, and says in words what does not agree. */
export async function audit(journal: Journal, databases: Databases): Promise<string[]> {
  const users = await databases.users<UserRow[]>`select id, email from users where role = 'user'`;
  const orders = await databases.orders<OrderRow[]>`
    select id, user_id, note, total_minor, status, version,
      (select json_agg(json_build_array(from_status, to_status) order by version)
        from order_events where order_id = orders.id) as history
    from orders`;
  const kept = {
    users: Map.groupBy(users, ({ email }) => email),
    orders: Map.groupBy(orders, ({ note }) => note),
    ordersOf: Map.groupBy(orders, ({ user_id }) => user_id),
  };
  const known = {
    emails: new Set(journal.accounts.map(({ email }) => email)),
    notes: new Set(journal.accounts.flatMap((each) => each.orders.map(({ note }) => note))),
  };
  return [
    ...users
      .filter(({ email }) => !known.emails.has(email))
      .map(({ id }) => `user ${id} from nowhere`),
    ...orders
      .filter(({ note }) => !known.notes.has(note))
      .map(({ id }) => `order ${id} from nowhere`),
    ...journal.accounts.flatMap((account) => auditAccount(account, kept)),
  ];
}

interface Kept {
  readonly users: ReadonlyMap<string, readonly UserRow[]>;
  readonly orders: ReadonlyMap<string, readonly OrderRow[]>;
  readonly ordersOf: ReadonlyMap<string, readonly OrderRow[]>;
}

function auditAccount(account: AccountRecord, kept: Kept): string[] {
  const { email, id = "", registered, deleted, orders } = account;
  const rows = kept.users.get(email) ?? [];
  const wrong: string[] = [];
  if (rows.length > 1) wrong.push(`${email} is there ${rows.length} times`);
  if (registered === "yes" && deleted === "no" && rows[0]?.id !== id)
    wrong.push(`${email} is lost`);
  if (deleted === "yes" && rows.length > 0) wrong.push(`${email} was deleted and is there`);
  if (rows.length > 0) return [...wrong, ...orders.flatMap((order) => auditOrder(order, kept))];
  const orphans = kept.ordersOf.get(id)?.length ?? 0;
  return orphans === 0 ? wrong : [...wrong, `${email} is gone, with ${orphans} orders left`];
}

function auditOrder(order: OrderRecord, { orders }: Kept): string[] {
  const { note, placed, deleted, ids } = order;
  const [row, ...others] = orders.get(note) ?? [];
  const wrong: string[] = [];
  if (others.length > 0) wrong.push("was placed more than once");
  if (ids.size > 1) wrong.push(`was acknowledged with ${ids.size} ids`);
  if (placed === "yes" && deleted === "no" && row === undefined) wrong.push("is lost");
  if (deleted === "yes" && row !== undefined) wrong.push("was deleted and is there");
  if (row !== undefined) wrong.push(...auditRow(order, row));
  return wrong.map((what) => `order ${note} ${what}`);
}

/** Status, total and history of an order that is there. */
function auditRow({ totalMinor, ids, cancelled, finished, isFinal }: OrderRecord, row: OrderRow) {
  const { id, status, version, history } = row;
  const wrong: string[] = [];
  if (ids.size > 0 && !ids.has(id)) wrong.push("has another id");
  if (BigInt(row.total_minor) !== totalMinor) wrong.push(`has the total ${row.total_minor}`);
  const told = { cancelled, done: finished, processing: isFinal ? "no" : "maybe" } as const;
  if (told[status] === "no") wrong.push(`is ${status}, which nobody asked for`);
  for (const other of ["cancelled", "done"] as const)
    if (told[other] === "yes" && status !== other) wrong.push(`is ${status}, not ${other}`);
  const expected = [
    [null, "processing"],
    ...(status === "processing" ? [] : [["processing", status]]),
  ];
  if (version !== expected.length || JSON.stringify(history) !== JSON.stringify(expected))
    wrong.push(`is ${status} at version ${version} with the history ${JSON.stringify(history)}`);
  return wrong;
}
