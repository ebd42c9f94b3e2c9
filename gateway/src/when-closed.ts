import type { ServerResponse } from "node:http";

/**
 * Calls back once an answer is out or its client gone. Clients leave at any time, also while a step before
 * waited, and then nobody would tell any more: so at once if that has happened already.
 */
export function whenClosed(response: ServerResponse, onClosed: () => void): void {
  if (response.destroyed) onClosed();
  else response.once("close", onClosed);
}
