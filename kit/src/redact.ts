/** What is never written, should an object with it be logged by mistake. */
const secretNames: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "password",
  "currentPassword",
  "newPassword",
  "token",
  "sessionKey",
  "session-key",
  "service-credential",
  "set-cookie",
  "x-access-token",
]);

/** How far into an object secrets are looked for. */
const deepestLevel = 2;

/**
 * An object to be logged, with its secrets replaced, up to two levels deep. It is the object itself if
 * it holds none, as nearly all do: a line a request is logged, and this must cost next to nothing.
 */
export function withoutSecrets(object: object, level = 0): Record<string, unknown> {
  const fields = object as Record<string, unknown>;
  let copy: Record<string, unknown> | undefined;
  for (const name in fields) {
    const value = fields[name];
    const shown = secretNames.has(name) ? "[redacted]" : shownIn(value, level);
    if (shown === value) continue;
    copy ??= (Array.isArray(object) ? [...object] : { ...object }) as Record<string, unknown>;
    copy[name] = shown;
  }
  return copy ?? fields;
}

/** An error has its own way into the log, which takes nothing but what is safe. */
function shownIn(value: unknown, level: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (level === deepestLevel || value instanceof Error) return value;
  return withoutSecrets(value, level + 1);
}
