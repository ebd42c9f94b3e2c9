import type { AdminPage } from "../admin-server.ts";
import type { Upstream } from "./upstream.ts";

/** Puts `GET /breakers` on the admin port: the breaker of each upstream of the process, by its name. */
export function addBreakersPage(
  adminPages: Map<string, AdminPage>,
  upstreams: readonly Pick<Upstream, "name" | "snapshot">[],
): void {
  adminPages.set("/breakers", () => ({
    body: Object.fromEntries(upstreams.map(({ name, snapshot }) => [name, snapshot()])),
  }));
}
