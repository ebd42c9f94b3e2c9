import type { IncomingMessage } from "node:http";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import type { FastifyReply } from "fastify";
import { badRequest } from "./refusal.ts";

/** The cookie that holds the session key. */
export interface SessionCookie {
  /**
   * The session key of a request, `undefined` without.
   *
   * @throws ConnectError `invalid_argument` when there are two: one of them was planted.
   */
  read(request: Pick<IncomingMessage, "headers">): string | undefined;
  /** Turns the session key in a service's answer into a cookie, an empty one into a cleared cookie. */
  write(reply: FastifyReply, answer: Headers): void;
}

/**
 * @param secure for https alone, with the `__Host-` prefix (RFC 6265bis), which keeps subdomains and
 * plain http from setting it. Without it only for development over http.
 */
export function createSessionCookie(secure: boolean): SessionCookie {
  const name = secure ? "__Host-session_key" : "session_key";
  const attributes = { path: "/", httpOnly: true, secure, sameSite: "strict" } as const;
  return {
    read({ headers }) {
      const values = valuesOf(headers.cookie ?? "", name);
      if (values.length > 1) throw badRequest("the session cookie is there twice");
      const [value] = values;
      return value !== undefined && /^[\w-]{1,512}$/.test(value) ? value : undefined;
    },
    write(reply, answer) {
      const key = answer.get(metadata.sessionKey);
      if (key === null) return;
      const maxAge = key === "" ? 0 : Number(answer.get(metadata.sessionKeyMaxAge));
      const life = Number.isSafeInteger(maxAge) && (maxAge > 0 || key === "") ? { maxAge } : {};
      reply.setCookie(name, key, { ...attributes, ...life });
    },
  };
}

/** All values of one cookie. Parsers return one of several, and not all the same one. */
function valuesOf(header: string, name: string): string[] {
  return header
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
