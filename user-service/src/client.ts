import type { ServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { maxDeviceLength } from "./limits.ts";
import type { Client } from "./session-store.ts";

const nobody: Client = { device: "", ip: "" };

/**
 * Where a call comes from, as the gateway tells it. Whoever calls without the service credential could
 * tell anything, and is believed nothing.
 */
export function clientOf(header: Headers, credential: ServiceCredential): Client {
  if (!credential.accepts(header.get(metadata.serviceCredential))) return nobody;
  const device = printable(header.get(metadata.clientDevice) ?? "").slice(0, maxDeviceLength);
  return { device, ip: (header.get(metadata.clientIp) ?? "").slice(0, 45) };
}

function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, "").trim();
}
