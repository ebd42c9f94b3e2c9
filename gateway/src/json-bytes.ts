import { badInput } from "./bad-input.ts";
import { JsonError, parseJson } from "./json-text.ts";
import { badRequest } from "./refusal.ts";

/** @throws ConnectError `invalid_argument` when it is not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw badRequest("the body is not UTF-8");
  }
}

/** @throws ConnectError `invalid_argument` that names the place of what {@link parseJson} refuses */
export function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const { path, rule, message, position } = error.fault;
    throw badInput([{ path, rule, message: `${message} (at position ${position})` }]);
  }
}
