import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { Client, type Problem } from "../client.ts";
import { type SecondGateway, shared, startSecondGateway } from "../second-gateway.ts";
import { type Inside, openInside } from "./inside.ts";

/** Tokens and session keys that age while one watches. */
const shortTimes = {
  ACCESS_TOKEN_TTL_SECONDS: "2",
  SESSION_ROTATE_AFTER_SECONDS: "1",
  SESSION_GRACE_SECONDS: "1",
};
/** Each visitor has an address of its own, and none is throttled for what another did. */
const ownAddresses = { TRUST_PROXY: "127.0.0.0/8" };

/** Two gateways on one Redis, before the same services. */
export interface TwoGateways {
  readonly platform: Platform;
  readonly second: SecondGateway;
  readonly urls: readonly [string, string];
  readonly inside: Inside;
  stop(): Promise<void>;
}

export async function startTwoGateways(
  env: Readonly<Record<string, string>> = {},
): Promise<TwoGateways> {
  const settings = { ...shared, ...shortTimes, ...ownAddresses, ...env };
  const platform = await startPlatform(settings);
  try {
    const second = await startSecondGateway(platform, { ...ownAddresses, ...env });
    const inside = await openInside(platform, shared.SECRET_KEYS);
    return {
      platform,
      second,
      urls: [platform.gatewayUrl, second.url],
      inside,
      async stop() {
        await inside.close();
        await second.stop();
        await platform.stop();
      },
    };
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

/** A client at a gateway that holds what another one held. */
export function holding(
  url: string,
  { token, cookie }: { token?: string | undefined; cookie?: string | undefined },
): Client {
  return Object.assign(new Client(url), { token, cookie });
}

export const me = "/api/users/me";

/** Waits until a client's token has expired. By then its session key is old enough to be replaced. */
export async function whenExpired<C extends Client>(client: C): Promise<C> {
  const expiresAt = claimsOf(client.token).exp * 1000;
  await waitFor("the token to expire", () => Date.now() > expiresAt);
  return client;
}

/** What a token says. */
export function claimsOf(token = ""): { sub: string; sid: string; exp: number; gen: number } {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

/** Waits until a gateway knows that a token was revoked; an expired one says so too. */
export async function whenRevoked(url: string, token: string | undefined): Promise<void> {
  await waitFor("the token to be revoked", () => isRevoked(url, token));
}

export async function isRevoked(url: string, token: string | undefined): Promise<boolean> {
  const { status, body } = await holding(url, { token }).get<Problem>(me);
  return status === 401 && body.detail === "the access token has been revoked";
}

let addresses = 0;

/** An address that nobody else has. */
export function newAddress(): { "x-forwarded-for": string } {
  addresses++;
  return { "x-forwarded-for": `10.${process.pid % 256}.${addresses >> 8}.${addresses & 255}` };
}
