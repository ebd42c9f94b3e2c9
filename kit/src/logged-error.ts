const maxCauses = 5;

/** An error as it is logged. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  /** A system's, driver's or database's code. */
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/**
 * What of an error is safe to log. Drivers hang on it what was sent: the parameters of a query, the
 * arguments of a command, the row that broke a constraint. Hashes, names and addresses are in there.
 */
export function loggedError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const stack = error.stack?.split("\n").filter((line) => /^ {4}at /.test(line));
  const cause = depth < maxCauses && error.cause instanceof Error ? error.cause : undefined;
  return {
    ...briefError(error),
    ...(stack && { stack: stack.join("\n") }),
    ...(cause && { cause: loggedError(cause, depth + 1) as LoggedError }),
  };
}

/** The same in a line, for what was to be expected: a store that is away. */
export function briefError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  // Drizzle's message has the statement in it, and then its parameters.
  const message = error.message.split("\nparams:")[0] ?? "";
  const code = "code" in error ? error.code : undefined;
  const known = typeof code === "string" || typeof code === "number" ? { code } : {};
  return { type: error.name, message, ...known };
}
