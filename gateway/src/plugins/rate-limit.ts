import fastifyRateLimit, {
  type FastifyRateLimitStore,
  type FastifyRateLimitStoreCtor,
} from "@fastify/rate-limit";
import type { FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { clientAddress } from "../client-address.ts";
import { quotaOf } from "../gcra.ts";
import type { LimitCounter } from "../limit-counter.ts";
import { rateLimited } from "../refusal.ts";

/** What is limited: all requests of an address, those of a user, attempts to log in from an address. */
export type LimitName = "ip" | "user" | "login";

export interface RateLimitOptions {
  readonly counter: LimitCounter;
  /** Requests per minute; 0 for no limit. */
  readonly perMinute: Readonly<Record<LimitName, number>>;
  /** Told what each limit said. */
  readonly onVerdict: (name: LimitName, isAllowed: boolean) => void;
}

declare module "fastify" {
  interface FastifyInstance {
    /**
     * Counts a request against a limit, and tells the client where it stands.
     *
     * @throws ConnectError with REASON_RATE_LIMITED
     */
    limit(name: LimitName, request: FastifyRequest, reply: FastifyReply): Promise<void>;
  }
}

const windowSeconds = 60;

/** The limits. Where they apply, ip-limit.ts and user-limit.ts say. */
export const rateLimit = fastifyPlugin<RateLimitOptions>(
  async (app, { counter, perMinute, onVerdict }) => {
    await app.register(fastifyRateLimit, { global: false, store: storeOf(counter) });
    const limiter = (name: LimitName) =>
      app.createRateLimit({
        max: perMinute[name],
        timeWindow: windowSeconds * 1000,
        keyGenerator: (request) => `${name}:${keyOf(name, request)}`,
      });
    const limiters = { ip: limiter("ip"), user: limiter("user"), login: limiter("login") };

    app.decorate("limit", async (name, request, reply) => {
      if (perMinute[name] === 0) return;
      const state = await limiters[name](request);
      if (state.isAllowed) return;
      tell(reply, name, state);
      onVerdict(name, !state.isExceeded);
      if (state.isExceeded) throw rateLimited(state.ttl);
    });
  },
  { name: "rate-limit" },
);

function keyOf(name: LimitName, request: FastifyRequest): string {
  return name === "user"
    ? (request.identity?.caller?.userId ?? "")
    : fastifyRateLimit.normalizeIP(clientAddress(request), 64);
}

/** draft-ietf-httpapi-ratelimit-headers-10: a list of policies, and where each of them stands. */
function tell(
  reply: FastifyReply,
  name: LimitName,
  { max, remaining, ttlInSeconds }: { max: number; remaining: number; ttlInSeconds: number },
): void {
  append(reply, "ratelimit-policy", `"${name}";q=${max};w=${windowSeconds}`);
  append(reply, "ratelimit", `"${name}";r=${remaining};t=${ttlInSeconds}`);
}

function append(reply: FastifyReply, name: string, member: string): void {
  const before = reply.getHeader(name);
  reply.header(name, before === undefined ? member : `${before}, ${member}`);
}

/** A store for @fastify/rate-limit, whose terms are a counter that rises to `max` and its time to live. */
function storeOf(counter: LimitCounter): FastifyRateLimitStoreCtor {
  return class implements FastifyRateLimitStore {
    incr(...[key, callback, , max]: Parameters<FastifyRateLimitStore["incr"]>): void {
      void counter.charge(key, quotaOf(max)).then((verdict) => {
        const { allowed, remaining, retryAfterMs, resetMs } = verdict;
        const current = allowed ? max - remaining : max + 1;
        callback(null, { current, ttl: allowed ? resetMs : retryAfterMs });
      });
    }

    child(): FastifyRateLimitStore {
      return this;
    }
  };
}
