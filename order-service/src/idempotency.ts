import { createHash } from "node:crypto";
import {
  type CreateOrderRequest,
  CreateOrderRequestSchema,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { invalidArgument } from "@3l1/kit/rpc/violation.ts";
import { toBinary } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { idempotencyKeptMs, removalBatch } from "./limits.ts";
import type { OrderStore } from "./store.ts";

/** Visible ASCII: what a header carries unchanged everywhere. */
const keyPattern = /^[\x21-\x7e]{1,255}$/;

/** What makes repeats of a request count once. */
export interface Idempotency {
  /** Chosen by the client, unique among a user's requests. */
  readonly key: string;
  /** SHA-256 of the request. */
  readonly requestHash: Uint8Array;
  /** Whether a request with this hash was the same one. */
  isSameRequest(requestHash: Uint8Array): boolean;
}

/**
 * The idempotency key that came with a request, `undefined` without one.
 *
 * @throws ConnectError `invalid_argument` when the key is not 1 to 255 visible ASCII characters
 */
export function idempotencyOf(
  header: Headers,
  request: CreateOrderRequest,
): Idempotency | undefined {
  const key = header.get(metadata.idempotencyKey);
  if (key === null) return undefined;
  if (!keyPattern.test(key))
    throw invalidArgument({
      field: metadata.idempotencyKey,
      rule: "idempotency_key.pattern",
      message: "must be 1 to 255 visible ASCII characters",
    });
  const requestHash = hashOf(request);
  return { key, requestHash, isSameRequest: (other) => requestHash.equals(other) };
}

/** The key stands for another request already. */
export function idempotencyKeyReused(): ConnectError {
  const message = "the idempotency key was used before with another body";
  return failure(Code.InvalidArgument, message, Reason.IDEMPOTENCY_KEY_REUSED);
}

/** Forgets what was kept long enough, in small steps. Copies of the service may do so at once. */
export async function forgetOldKeys(
  store: OrderStore,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const keptSince = new Date(nowMs - idempotencyKeptMs);
  let removed = removalBatch;
  while (removed === removalBatch && !signal.aborted)
    removed = await store.forgetKeysBatch(keptSince, removalBatch);
}

/** Fields that this version does not know change nothing here, so they do not count. */
function hashOf(request: CreateOrderRequest): Buffer {
  const bytes = toBinary(CreateOrderRequestSchema, request, { writeUnknownFields: false });
  return createHash("sha256").update(bytes).digest();
}
