const name = "3l1-session";

/**
 * Calls something that ends the session and opens another, such as a new password. Other tabs see the end
 * before this one has the new cookie, and would take themselves for logged out.
 */
export function exchangeSession<T>(call: () => Promise<T>): Promise<T> {
  return locked("exclusive", call);
}

/** Calls something once no tab is between two sessions. */
export function betweenExchanges<T>(call: () => Promise<T>): Promise<T> {
  return locked("shared", call);
}

/** Web Locks, which all tabs share. Browsers have them for https and for their own computer alone. */
function locked<T>(mode: LockMode, call: () => Promise<T>): Promise<T> {
  const locks: LockManager | undefined = navigator.locks;
  return locks === undefined ? call() : locks.request(name, { mode }, call);
}
