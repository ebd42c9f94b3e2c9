import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { type SigningKey, SigningKeySchema } from "@3l1/gen/user/v1/session_service_pb.ts";
import type { Logger } from "@3l1/kit/logger.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { calculateJwkThumbprint } from "jose";
import type { Seal } from "./key-seal.ts";
import { publishKeyAheadMs } from "./limits.ts";
import type { SigningKeyRow, SigningKeyStore } from "./signing-key-store.ts";

/** When the first key starts to sign: copies whose clocks are behind can use it at once too. */
const sinceEver = new Date(0);

/** A key that signs. */
export interface Signer {
  /** RFC 7638 thumbprint, the `kid` of what it signs. */
  readonly id: string;
  readonly privateKey: KeyObject;
}

/** The signing keys as this process knows them. */
export interface Keyring {
  /** The key to sign with now. */
  signer(): Signer;
  /** All public keys, those to come and those that sign no more included. */
  publicKeys(): readonly SigningKey[];
  /** Looks for keys that another copy, or an operator, has made. */
  reload(): Promise<void>;
}

export interface KeyringOptions {
  readonly store: SigningKeyStore;
  readonly seal: Seal;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Opens the keyring, and makes the first key where there is none: one, however many copies start.
 * Keys that were sealed with a secret now retired are sealed anew.
 *
 * @throws when `SECRET_KEYS` opens none of the keys that should sign
 */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const { store, seal, now } = options;
  let rows: readonly SigningKeyRow[] = [];
  let signers: readonly (Signer & { signsFrom: number })[] = [];
  let published: readonly SigningKey[] = [];

  async function reload(): Promise<void> {
    rows = await store.all();
    signers = rows.flatMap((row) => open(row, seal) ?? []);
    published = rows.map(toSigningKey);
  }

  await store.add(async ({ length }) => (length === 0 ? generateKey(seal, sinceEver) : undefined));
  await reload();
  await resealStale(rows, options);
  if (signerAt(signers, now()) === undefined)
    throw new Error(
      "SECRET_KEYS opens none of the signing keys in the database: give it the secret that they were sealed with",
    );
  return {
    signer() {
      const signer = signerAt(signers, now());
      if (signer === undefined) throw new Error("there is no signing key");
      return signer;
    },
    publicKeys: () => published,
    reload,
  };
}

/** What a rotation did. */
export interface KeyRotation {
  /** Whether a key was made. Not if one is waiting to sign already: so it is safe to rotate twice. */
  readonly made: boolean;
  readonly keyId: string;
  /** When the key starts to sign. */
  readonly signsFrom: Date;
}

/**
 * Makes a new signing key. It is published at once and signs only when every verifier can have it;
 * the old one verifies on. Keys that stopped signing long ago lose their private half, and in the end
 * go.
 *
 * @param keepMs how long a key that signs no more has to verify: as long as a cookie may come with an
 * expired token of it
 * @throws when `SECRET_KEYS` does not open the latest key: what it sealed, the service could not open,
 * and the keys before would be retired for one that never signs
 */
export async function rotateSigningKeys(
  { store, seal, now }: Omit<KeyringOptions, "logger">,
  keepMs: number,
): Promise<KeyRotation> {
  let rotation: KeyRotation | undefined;
  await store.add(async ([latest]) => {
    if (latest?.sealedPrivateKey && open(latest, seal) === undefined)
      throw new Error("SECRET_KEYS does not open the latest signing key: it is not the platform's");
    const pending = latest !== undefined && latest.signsFrom.getTime() > now();
    const signsFrom = new Date(now() + publishKeyAheadMs);
    const key = pending ? latest : await generateKey(seal, signsFrom);
    rotation = { made: !pending, keyId: key.id, signsFrom: key.signsFrom };
    return pending ? undefined : key;
  });
  await retire(store, now(), keepMs);
  if (rotation === undefined) throw new Error("the rotation was not decided");
  return rotation;
}

async function retire(store: SigningKeyStore, now: number, keepMs: number): Promise<void> {
  const rows = await store.all();
  const stoppedBefore = (time: number) =>
    rows.filter((_, index) => {
      const successor = rows[index - 1];
      return successor !== undefined && successor.signsFrom.getTime() <= time;
    });
  const idsOf = (keys: readonly SigningKeyRow[]) => keys.map(({ id }) => id);
  // Copies whose clocks are behind may still sign with a key for a while.
  await store.erasePrivate(idsOf(stoppedBefore(now - publishKeyAheadMs)));
  await store.remove(idsOf(stoppedBefore(now - keepMs)));
}

async function generateKey(seal: Seal, signsFrom: Date): Promise<Omit<SigningKeyRow, "createdAt">> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const jwk = publicKey.export({ format: "jwk" });
  const id = await calculateJwkThumbprint(jwk);
  return {
    id,
    publicKey: Buffer.from(jwk.x ?? "", "base64url"),
    sealedPrivateKey: seal.seal(privateKey.export({ format: "der", type: "pkcs8" }), id),
    signsFrom,
  };
}

async function resealStale(
  rows: readonly SigningKeyRow[],
  { store, seal, logger }: KeyringOptions,
): Promise<void> {
  for (const { id, sealedPrivateKey } of rows) {
    if (sealedPrivateKey === null) continue;
    const opened = seal.open(sealedPrivateKey, id);
    if (opened?.stale !== true) continue;
    await store.reseal(id, sealedPrivateKey, seal.seal(opened.secret, id));
    logger.info({ keyId: id }, "signing key sealed with the first of SECRET_KEYS");
  }
}

function open({ id, sealedPrivateKey, signsFrom }: SigningKeyRow, seal: Seal) {
  const opened = sealedPrivateKey && seal.open(sealedPrivateKey, id);
  if (!opened) return undefined;
  const privateKey = createPrivateKey({ key: opened.secret, format: "der", type: "pkcs8" });
  return { id, privateKey, signsFrom: signsFrom.getTime() };
}

/** The latest of those that may sign already. @param signers the latest first */
function signerAt<S extends { signsFrom: number }>(signers: readonly S[], now: number) {
  return signers.find(({ signsFrom }) => signsFrom <= now);
}

function toSigningKey({ id, publicKey, signsFrom }: SigningKeyRow): SigningKey {
  const from = signsFrom.getTime();
  const notBefore = from === 0 ? {} : { notBefore: timestampFromMs(from) };
  return create(SigningKeySchema, { id, publicKey: new Uint8Array(publicKey), ...notBefore });
}
