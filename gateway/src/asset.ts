import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { negotiate } from "@fastify/accept-negotiator";
import type { FastifyReply, FastifyRequest } from "fastify";
import { leaveUncompressed } from "./plugins/compress.ts";

/** The best is 11, which takes seconds for a megabyte where this takes a fraction. */
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
const compressors = {
  br: (body: Buffer) => promisify(brotliCompress)(body, brotli),
  gzip: (body: Buffer) => promisify(gzip)(body),
};
type Encoding = keyof typeof compressors;
/** The smallest first, for a client that takes several equally well. */
const encodings: (Encoding | "identity")[] = ["br", "gzip", "identity"];

/** A file served from memory. */
export interface Asset {
  /** Answers a request for it: 304 to a client that has it, else as small as the client takes it. */
  send(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
}

/** What the client has is asked for again each time: an upgrade must not leave it with old parts. */
const asksAgain = "no-cache";

/**
 * A file that stays the same while the process lives. It is compressed once for each encoding, when it
 * is first asked for: a large one anew for every request would cost more than all else that we do.
 *
 * @param caching its `Cache-Control`
 */
export function createAsset(body: Buffer, contentType: string, caching = asksAgain): Asset {
  const hash = createHash("sha256").update(body).digest("base64url").slice(0, 22);
  const compressed = new Map<Encoding, Promise<Buffer>>();

  function compress(encoding: Encoding): Promise<Buffer> {
    const known = compressed.get(encoding) ?? compressors[encoding](body);
    compressed.set(encoding, known);
    return known;
  }

  return {
    async send(request, reply) {
      const { "accept-encoding": accepted, "if-none-match": held } = request.headers;
      const encoding = negotiate(String(accepted ?? ""), encodings) ?? "identity";
      // Other bytes need another strong tag (RFC 9110, section 8.8.3).
      const etag = encoding === "identity" ? `"${hash}"` : `"${hash}-${encoding}"`;
      reply.headers({ "cache-control": caching, etag });
      const vary = reply.getHeader("vary");
      reply.header("vary", vary === undefined ? "accept-encoding" : `${vary}, accept-encoding`);
      if (held === "*" || held?.includes(etag)) return reply.code(304).send();
      reply.type(contentType);
      leaveUncompressed(request);
      if (encoding === "identity") return reply.send(body);
      return reply.header("content-encoding", encoding).send(await compress(encoding));
    },
  };
}
