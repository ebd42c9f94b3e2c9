import type { Logger } from "@3l1/kit/logger.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { traceIdOf } from "@3l1/kit/tracing/traceparent.ts";
import { Counter, type Registry } from "@prometheus-io/client";

/** What is worth knowing afterwards. */
const auditEvents = [
  "registered",
  "logged in",
  "login failed",
  "login throttled",
  "logged out",
  "logged out everywhere",
  "session revoked",
  "session evicted",
  "session key stolen",
  "password changed",
  "password change failed",
  "role changed",
  "user deleted",
  "first administrator made",
] as const;
export type AuditEvent = (typeof auditEvents)[number];

/** Whom an event is about. Nothing here may be a secret. */
export interface AuditDetails {
  /** The account. Absent for an unknown one. */
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** Who did it, if somebody else. */
  readonly actorId?: string | undefined;
  readonly role?: string | undefined;
  readonly ip?: string | undefined;
  /** The metadata of the call, for its request id. */
  readonly header?: Headers | undefined;
}

/** Writes an event to the audit log. */
export type Audit = (event: AuditEvent, details: AuditDetails) => void;

/**
 * The audit log is lines of the process's log with the field `audit`, not a table: an attack that
 * fails a million logins must not fill the database, the lines leave the machine with all others, and
 * whoever breaks into the database cannot rewrite them.
 */
export function createAudit(logger: Logger, registry: Registry): Audit {
  const events = new Counter({
    name: "auth_events_total",
    help: "Events of the audit log, by kind",
    labelNames: ["event"],
    registers: [registry],
  });
  const label = (event: AuditEvent) => ({ event: event.replaceAll(" ", "_") });
  // A counter that appears with its first event would hide that event from every rate.
  for (const event of auditEvents) events.inc(label(event), 0);
  // Written whatever LOG_LEVEL says, short of nothing at all.
  const log = logger.child({}, { level: logger.level === "silent" ? "silent" : "info" });
  return (audit, { header, ...details }) => {
    const requestId = header?.get(metadata.requestId) ?? undefined;
    const traceId = traceIdOf(header?.get(metadata.traceparent));
    events.inc(label(audit));
    log.info({ audit, requestId, traceId, ...details }, "audit");
  };
}
