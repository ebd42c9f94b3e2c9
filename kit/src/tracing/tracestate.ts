/** What has to be passed on at least (W3C Trace Context, section 3.3.1.5); we pass on no more. */
const maxLength = 512;
const maxMembers = 32;
/** `key=value`, where the key may name a tenant. */
const member =
  /^[a-z0-9][\w\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** A client's `tracestate` as it may be passed on; nothing of one that is too long or malformed. */
export function passableTracestate(given: string): string | undefined {
  if (given.length > maxLength) return undefined;
  const members = given.split(",").map((each) => each.trim());
  const named = members.filter((each) => each !== "");
  if (named.length === 0 || members.length > maxMembers) return undefined;
  return named.every((each) => member.test(each)) ? named.join(",") : undefined;
}
