import { createHmac, timingSafeEqual } from "node:crypto";
import { invalidArgument } from "../rpc/violation.ts";

/** Bytes of the HMAC that are kept: enough against guessing, short in a URL. */
const macBytes = 16;

/** Makes opaque page tokens that are good for one query only. */
export interface PageTokens {
  /** @param query what the page belongs to, for example the filters as JSON */
  encode(position: readonly string[], query: string): string;
  /** @throws ConnectError `invalid_argument` when the token was changed, or belongs to another query */
  decode(token: string, query: string): string[];
}

/** @param keys derived keys; the first signs, all verify */
export function createPageTokens(keys: readonly Buffer[]): PageTokens {
  const mac = (key: Buffer, body: string, query: string) =>
    createHmac("sha256", key).update(`${body}\n${query}`).digest().subarray(0, macBytes);
  return {
    encode(position, query) {
      const body = Buffer.from(JSON.stringify(position)).toString("base64url");
      const [key] = keys;
      if (key === undefined) throw new Error("no key for page tokens");
      return `${body}.${mac(key, body, query).toString("base64url")}`;
    },
    decode(token, query) {
      const [body = "", signature = ""] = token.split(".");
      const given = Buffer.from(signature, "base64url");
      const genuine = keys.some(
        (key) => given.length === macBytes && timingSafeEqual(mac(key, body, query), given),
      );
      if (!genuine)
        throw invalidArgument({
          field: "page_token",
          rule: "page_token.genuine",
          message: "must be the next_page_token of the page before, with the same filters",
        });
      return JSON.parse(Buffer.from(body, "base64url").toString());
    },
  };
}
