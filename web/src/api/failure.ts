import { ErrorInfoSchema, Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import {
  type FieldPath,
  ViolationsSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";

/** What went wrong, in words for the person in front of the screen. */
export interface Failure {
  readonly message: string;
  /** What is wrong with which field of the request, by its place in JSON: `items[0].sku`. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Input that need not be sent to be known as wrong. */
export class BadInput extends Error {
  readonly fields: ReadonlyMap<string, string>;

  constructor(fields: Readonly<Record<string, string>>) {
    super("Please look at the marked fields.");
    this.fields = new Map(Object.entries(fields));
  }
}

/** Reasons of which the platform's own words say too little here. */
const sentences: Partial<Record<Reason, string>> = {
  [Reason.RATE_LIMITED]: "That was too often.",
  [Reason.TOO_MANY_STREAMS]: "Too many tabs are open.",
  [Reason.LAST_ADMIN]: "This is the last administrator. Make somebody else one first.",
  [Reason.TRANSITION_NOT_ALLOWED]: "The order is done or cancelled, and stays so.",
  [Reason.PASSWORD_HASHING_BUSY]: "Many people are logging in just now.",
  [Reason.CROSS_SITE]: "The browser says that another site sent this.",
};

/** Tells an error in words. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof BadInput) return { message: thrown.message, fields: thrown.fields };
  const error = ConnectError.from(thrown);
  const fields = violationsOf(error);
  if (fields.size > 0) return { message: "Please look at the marked fields.", fields };
  return { message: `${sentenceOf(error)}${patienceOf(error)}`, fields };
}

/** Why a call failed, where the platform gives a reason. */
export function reasonOf(thrown: unknown): Reason {
  return ConnectError.from(thrown).findDetails(ErrorInfoSchema)[0]?.reason ?? Reason.UNSPECIFIED;
}

/** Whether a call failed with this code. */
export function hasCode(thrown: unknown, ...codes: readonly Code[]): boolean {
  return thrown instanceof ConnectError && codes.includes(thrown.code);
}

function sentenceOf(error: ConnectError): string {
  if (isNetworkError(error)) return "The platform cannot be reached. Are you online?";
  const known = sentences[reasonOf(error)];
  if (known !== undefined) return known;
  if (error.code === Code.Unavailable) return "The platform cannot answer just now.";
  return `${asSentence(error.rawMessage)}${traceOf(error)}`;
}

/** By what the operator finds in the logs what went wrong. */
function traceOf(error: ConnectError): string {
  const isOurs = [Code.Internal, Code.Unknown, Code.DataLoss].includes(error.code);
  const requestId = error.findDetails(ErrorInfoSchema)[0]?.requestId;
  return isOurs && requestId ? ` Request: ${requestId}.` : "";
}

/** A fetch that reached nobody: browsers say no more than that. */
function isNetworkError(error: ConnectError): boolean {
  return error.cause instanceof TypeError;
}

function patienceOf(error: ConnectError): string {
  const after = error.findDetails(ErrorInfoSchema)[0]?.retryAfter;
  if (after === undefined) return error.code === Code.Unavailable ? " Try again in a moment." : "";
  const seconds = Math.max(1, Number(after.seconds) + (after.nanos > 0 ? 1 : 0));
  return ` Try again in ${seconds === 1 ? "a second" : `${seconds} seconds`}.`;
}

function asSentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

function violationsOf(error: ConnectError): Map<string, string> {
  const fields = new Map<string, string>();
  for (const { violations } of error.findDetails(ViolationsSchema))
    for (const { field, message } of violations) {
      const path = pathOf(field);
      if (!fields.has(path)) fields.set(path, asSentence(message));
    }
  return fields;
}

function pathOf(path: FieldPath | undefined): string {
  let text = "";
  for (const { fieldName, subscript } of path?.elements ?? []) {
    const name = fieldName.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    text += `${text === "" ? "" : "."}${name}`;
    if (subscript.case !== undefined) text += `[${subscript.value}]`;
  }
  return text;
}
