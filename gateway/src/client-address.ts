import { isIP, isIPv4 } from "node:net";
import type { FastifyRequest } from "fastify";

/**
 * The address of the client: the last one that no trusted proxy wrote (TRUST_PROXY), as far as it is
 * one, else the other end of the socket. IPv4 over an IPv6 socket comes out as IPv4, and a zone is
 * left out.
 */
export function clientAddress({ ip, socket }: Pick<FastifyRequest, "ip" | "socket">): string {
  if (isIPv4(ip ?? "")) return ip;
  const told = isIP(ip ?? "") ? ip : (socket.remoteAddress ?? "::");
  const bare = told.replace(/%.*$/, "");
  const mapped = bare.replace(/^::ffff:/i, "");
  return isIPv4(mapped) ? mapped : bare;
}
