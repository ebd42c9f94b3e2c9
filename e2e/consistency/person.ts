import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type {
  CreateOrderResponseJson,
  ListOrdersResponseJson,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import type { RegisterResponseJson } from "@3l1/gen/user/v1/user_service_pb.ts";
import { type Answer, Client, type Problem, password } from "../client.ts";
import type { Chance } from "../random.ts";
import {
  type AccountRecord,
  after,
  count,
  createOrderRecord,
  type Journal,
  type Known,
  type OrderRecord,
} from "./journal.ts";

/** Repeats of an order that has a key, at any gateway. */
const keyedAttempts = 3;

/** Who was let down waits so long before asking for anything else: outages are not to use up lives. */
const disappointmentMs = 150;

/** The world of a person: gateways to choose from, and a journal to write to. */
export interface World {
  readonly urls: readonly string[];
  readonly journal: Journal;
  readonly chance: Chance;
}

/** What came back; `undefined` when it cannot be known whether the request was carried out. */
export type Reply<T> = Answer<T & Problem> | undefined;

/** Asks one gateway or another as one client, and takes note of what comes back. */
export class Person {
  readonly account: AccountRecord;
  readonly #world: World;
  #token: string | undefined;
  #cookie: string | undefined;

  constructor(world: World, email = `${randomUUID()}@example.com`) {
    this.#world = world;
    this.account = { email, id: undefined, registered: "no", deleted: "no", orders: [] };
  }

  /** @returns whether there is an account for sure */
  async register(): Promise<boolean> {
    this.#world.journal.accounts.push(this.account);
    const { email } = this.account;
    const body = { name: "Ann", email, password };
    const reply = await this.ask<RegisterResponseJson>("register", "/api/users/reg", body);
    this.account.registered = this.#known("register", reply, [201]);
    this.account.id = reply?.body.user?.id;
    return this.account.registered === "yes";
  }

  async logIn(secret = password): Promise<boolean> {
    const body = { email: this.account.email, password: secret };
    const reply = await this.ask("log in", "/api/users/log", body);
    return this.#known("log in", reply, [200]) === "yes";
  }

  async deleteAccount(): Promise<void> {
    const reply = await this.ask("delete account", "/api/users/del", undefined, "DELETE");
    const known = this.#known("delete account", reply, [204], [401]);
    // 401: the gateway's own second attempt, after one that was carried out and not answered.
    this.account.deleted = reply?.status === 401 ? "maybe" : known;
  }

  async placeOrder(): Promise<void> {
    await this.#place("create", this.#newOrder(), {});
  }

  /** Until it is known what became of it, or patience ends. */
  async placeKeyedOrder(): Promise<void> {
    const order = this.#newOrder();
    const headers = { "idempotency-key": randomUUID() };
    for (let attempt = 0; attempt < keyedAttempts; attempt++)
      await this.#place("create with key", order, headers);
  }

  /** As its owner, or as an administrator. */
  async setStatus(order: OrderRecord, to: "CANCELLED" | "DONE"): Promise<void> {
    const [id] = order.ids;
    const body = { id, status: `ORDER_STATUS_${to}` };
    const field = to === "DONE" ? "finished" : "cancelled";
    const reply = await this.ask(field, "/api/orders/status", body, "PATCH");
    // 400: its status is final. 404: it has been deleted, or may have been.
    const known = this.#known(field, reply, [200], [400, 404]);
    order[field] = after(order[field], known);
    if (reply?.status === 400 || known === "yes") order.isFinal = true;
    const mayBeGone = order.deleted !== "no" || this.account.deleted !== "no" || to === "DONE";
    if (reply?.status === 404 && !mayBeGone) this.#wrong(`${order.note} was not found`);
  }

  async deleteOrder(order: OrderRecord): Promise<void> {
    const [id] = order.ids;
    const reply = await this.ask("delete", `/api/orders/del?id=${id}`, undefined, "DELETE");
    const known = this.#known("delete", reply, [204], [404]);
    if (reply?.status === 404 && order.deleted === "no") this.#wrong(`${order.note} was lost`);
    order.deleted = reply?.status === 404 ? "yes" : after(order.deleted, known);
  }

  /** Sees at once all that was acknowledged, and nothing that was deleted. */
  async list(): Promise<void> {
    const path = "/api/orders/list?pageSize=100";
    const reply = await this.ask<ListOrdersResponseJson>("list", path, undefined, "GET");
    if (this.#known("list", reply, [200]) !== "yes") return;
    const listed = new Set(reply?.body.orders?.map(({ note }) => note));
    const { orders } = this.account;
    if (orders.length > 100) return;
    for (const { note, placed, deleted } of orders) {
      if (placed === "yes" && deleted === "no" && !listed.has(note)) this.#wrong(`${note} missing`);
      if (deleted === "yes" && listed.has(note)) this.#wrong(`${note} is listed, though deleted`);
    }
  }

  #newOrder(): OrderRecord {
    const order = createOrderRecord(randomUUID(), BigInt(1 + this.#world.chance.below(1_000)) * 2n);
    this.account.orders.push(order);
    return order;
  }

  async #place(kind: string, order: OrderRecord, headers: Record<string, string>): Promise<void> {
    const { note, totalMinor } = order;
    const items = [{ sku: "tea-1", quantity: 2, unitPriceMinor: String(totalMinor / 2n) }];
    const body = { items, currencyCode: "EUR", note };
    const path = "/api/orders/add";
    const reply = await this.ask<CreateOrderResponseJson>(kind, path, body, "POST", headers);
    order.placed = after(order.placed, this.#known(kind, reply, [201]));
    if (reply?.body.order?.id) order.ids.add(reply.body.order.id);
  }

  /** Sends a request to any of the gateways. */
  async ask<T>(
    kind: string,
    path: string,
    body?: unknown,
    method = "POST",
    headers: Record<string, string> = {},
  ): Promise<Reply<T>> {
    const { urls, chance, journal } = this.#world;
    const client = new Client(chance.pick(urls));
    Object.assign(client, { token: this.#token, cookie: this.#cookie });
    const reply = await client
      .send<T & Problem>(method, path, body, headers)
      .catch(() => undefined);
    this.#token = client.token;
    this.#cookie = client.cookie;
    count(journal, kind, outcomeOf(reply));
    // Whatever died, somebody knows of it: 503, or no answer.
    if (reply?.status === 500) this.#wrong(`${kind}: ${JSON.stringify(reply.body)}`);
    if (reply !== undefined && reply.status < 500) return reply;
    await sleep(disappointmentMs);
    return undefined;
  }

  #known(kind: string, reply: Reply<unknown>, good: number[], refused: number[] = []): Known {
    if (reply === undefined) return "maybe";
    if (good.includes(reply.status)) return "yes";
    if (!refused.includes(reply.status))
      this.#wrong(`${kind}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return "no";
  }

  #wrong(what: string): void {
    this.#world.journal.wrong.push(what);
  }
}

function outcomeOf(reply: Reply<unknown>): string {
  if (reply === undefined) return "no answer";
  return reply.body.reason ? `${reply.status} ${reply.body.reason}` : `${reply.status}`;
}
