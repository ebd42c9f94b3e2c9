import type { CreateOrderResponseJson } from "@3l1/gen/order/v1/order_service_pb.ts";
import type { RegisterResponseJson } from "@3l1/gen/user/v1/user_service_pb.ts";
import { userPassword } from "../dev/own-platform.ts";

/** An error as the platform tells it (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly reason?: string;
  readonly requestId: string;
  readonly violations?: readonly { field: string; rule: string; message: string }[];
}

/** An answer, with its body parsed. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** What a person or an app holds while talking to the platform: a token and a cookie. */
export class Client {
  readonly #url: string;
  token: string | undefined;
  cookie: string | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  get<T = Problem>(path: string): Promise<Answer<T>> {
    return this.send<T>("GET", path);
  }

  post<T = Problem>(
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>> {
    return this.send<T>("POST", path, body, headers);
  }

  patch<T = Problem>(path: string, body: unknown): Promise<Answer<T>> {
    return this.send<T>("PATCH", path, body);
  }

  delete<T = Problem>(path: string): Promise<Answer<T>> {
    return this.send<T>("DELETE", path);
  }

  /** A string or bytes go as they are, anything else as JSON. Keeps what the answer hands out. */
  async send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(this.cookie ? { cookie: this.cookie } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await textOf(response);
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const answer = {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
    };
    this.#keep(answer);
    return answer;
  }

  #keep({ headers, body }: Answer<{ token?: string }>): void {
    const [cookie] = headers.getSetCookie();
    if (cookie !== undefined)
      this.cookie = /=;|=$/.test(cookie.split(" ")[0] ?? "") ? undefined : cookie.split(";")[0];
    this.token = headers.get("x-access-token") ?? body?.token ?? this.token;
  }
}

/** The whole body; of a stream of events, which has no end, the first event or heartbeat. */
async function textOf(response: Response): Promise<string> {
  if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
    return response.text();
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.split("\n\n").length > 2) break;
  }
  return text;
}

let registered = 0;
export const password = userPassword;

/** A client of somebody who has just registered. */
export async function register(url: string, name = "Ann") {
  const client = new Client(url);
  const email = `${name.toLowerCase()}-${process.pid}-${registered++}@example.com`;
  const { status, body } = await client.post<RegisterResponseJson>("/api/users/reg", {
    name,
    email,
    password,
  });
  if (status !== 201) throw new Error(`registering failed with ${status}: ${JSON.stringify(body)}`);
  return Object.assign(client, { email, id: body.user?.id ?? "" });
}

/** A client of somebody who has just logged in. */
export async function logIn(url: string, email: string, secret: string): Promise<Client> {
  const client = new Client(url);
  const { status } = await client.post("/api/users/log", { email, password: secret });
  if (status !== 200) throw new Error(`logging in failed with ${status}`);
  return client;
}

export const items = [{ sku: "tea-1", quantity: 2, unitPriceMinor: "450" }];

/** Places an order. */
export async function placeOrder(client: Client, note = "") {
  const { body } = await client.post<CreateOrderResponseJson>("/api/orders/add", {
    items,
    currencyCode: "EUR",
    note,
  });
  if (!body.order?.id) throw new Error(`no order: ${JSON.stringify(body)}`);
  return { ...body.order, id: body.order.id };
}
