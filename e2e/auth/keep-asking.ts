import { waitFor } from "@3l1/kit/wait-for.ts";
import { Client } from "../client.ts";
import { me } from "./two-gateways.ts";

/** A client that is there all the time. */
export interface Asking {
  /** Its answers by status; 0: none came. */
  readonly counts: ReadonlyMap<number, number>;
  stop(): Promise<unknown>;
}

/** Asks one gateway and the other in turn, again and again, and keeps what `client` is handed out. */
export function keepAsking(client: Client, urls: readonly string[]): Asking {
  const counts = new Map<number, number>();
  let stopped = false;
  let turn = 0;
  const ask = async () => {
    const { token, cookie } = client;
    const at = Object.assign(new Client(urls[turn++ % urls.length] as string), { token, cookie });
    const { status } = await at.get(me).catch(() => ({ status: 0 }));
    client.token = at.token;
    client.cookie = at.cookie;
    counts.set(status, (counts.get(status) ?? 0) + 1);
    return stopped;
  };
  const asking = waitFor("the asking to stop", ask, 280_000);
  asking.catch(() => {});
  return {
    counts,
    stop() {
      stopped = true;
      return asking;
    },
  };
}
