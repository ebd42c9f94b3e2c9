import { type SigningKeys, toJwk } from "@3l1/kit/auth/signing-keys.ts";
import fastifyPlugin from "fastify-plugin";
import { jwksMaxAgeSeconds } from "./limits.ts";
import { signingKeysUnavailable } from "./session-renewal.ts";

export interface JwksOptions {
  readonly keys: SigningKeys;
}

/** The public keys that verify our access tokens, for whoever wants to (RFC 7517). */
export const jwks = fastifyPlugin<JwksOptions>(
  async (app, { keys }) => {
    app.get("/.well-known/jwks.json", async (_request, reply) => {
      const all = await keys.all().catch(() => {
        throw signingKeysUnavailable();
      });
      reply.header("cache-control", `public, max-age=${jwksMaxAgeSeconds}`);
      reply.header("cross-origin-resource-policy", "cross-origin");
      reply.type("application/json; charset=utf-8");
      return JSON.stringify({ keys: all.map(toJwk) });
    });
  },
  { name: "jwks" },
);
