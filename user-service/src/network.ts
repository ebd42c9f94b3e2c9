import { isIPv6 } from "node:net";

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 one, of which a single person has
 * 2^64 addresses.
 */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(ip)) return ip;
  const [head = "", tail = ""] = ip.replace(/%.*$/, "").split("::");
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const between = new Array<string>(8 - before.length - after.length).fill("0");
  const prefix = [...before, ...between, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(":")}::/64`;
}

/** An IPv4 address at the end takes the place of two groups, which are beyond the prefix anyway. */
function groupsOf(text: string): string[] {
  const groups = text === "" ? [] : text.split(":");
  return groups.flatMap((group) => (group.includes(".") ? ["0", "0"] : [group]));
}
