import type { Terminal } from "./terminal.ts";

interface Answer {
  readonly token?: string | undefined;
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly violations?: readonly object[] | undefined;
}

/** Somebody with a token and a cookie, as a browser would hold them. */
export class Visitor {
  readonly #url: string;
  readonly #terminal: Terminal;
  #token = "";
  #cookie = "";

  constructor(url: string, terminal: Terminal) {
    this.#url = url;
    this.#terminal = terminal;
  }

  /** Sends a request and shows what comes back. */
  async ask(method: string, path: string, body?: object): Promise<void> {
    const response = await this.#send(method, path, body);
    const answer = (await response.json()) as Answer;
    const [cookie] = response.headers.getSetCookie();
    const token = response.headers.get("x-access-token") ?? answer.token;
    this.#cookie = cookie?.split(";")[0] ?? this.#cookie;
    this.#token = token ?? this.#token;
    this.show(method, path, response.status);
    const { token: _, ...shown } = response.ok ? answer : essenceOf(answer);
    this.#terminal.print(this.#terminal.paint("dim", `      ${shorten(JSON.stringify(shown))}`));
    if (token) this.#terminal.print(this.#terminal.paint("dim", "      + a new token"));
    if (cookie) this.#terminal.print(this.#terminal.paint("dim", "      + a new cookie"));
  }

  show(method: string, path: string, status: number): void {
    const color = status < 400 ? "green" : "red";
    this.#terminal.print(
      `      ${this.#terminal.paint("cyan", `${method} ${path}`)} → ${this.#terminal.paint(color, `${status}`)}`,
    );
  }

  async quietly(path: string): Promise<void> {
    await (await this.#send("GET", path)).body?.cancel();
  }

  async withoutCookie(path: string): Promise<number> {
    const response = await this.#send("GET", path, undefined, "");
    await response.body?.cancel();
    return response.status;
  }

  #send(method: string, path: string, body?: object, cookie = this.#cookie): Promise<Response> {
    return fetch(this.#url + path, {
      method,
      headers: {
        ...(body && { "content-type": "application/json" }),
        ...(this.#token && { authorization: `Bearer ${this.#token}` }),
        ...(cookie && { cookie }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
  }
}

/** Of an error what a person looks for first. */
function essenceOf({ code, reason, violations }: Answer): Answer {
  return { ...(reason ? { reason } : { code }), violations };
}

function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
