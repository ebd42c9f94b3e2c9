import { computed, signal } from "@preact/signals";

/*
 * Routes stand behind the hash: the gateway then has one page to serve, and no path of the console can
 * ever shadow one of the API. Links and reloads work all the same.
 */

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

/** The route as parts: `#/orders/new` is `["orders", "new"]`. */
export const path = computed(() =>
  (hash.value.split("?")[0] ?? "").replace(/^#\/?/, "").split("/").map(decodePart).filter(Boolean),
);
/** What stands behind the route's question mark. */
export const query = computed(() => new URLSearchParams(hash.value.split("?")[1] ?? ""));

/** A part that cannot be decoded is shown as it is; it will match nothing. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Goes somewhere else. `replace`: the way back does not lead here again. */
export function go(to: string, { replace = false } = {}): void {
  if (replace) {
    history.replaceState(null, "", `#${to}`);
    hash.value = location.hash;
  } else location.hash = to;
}
