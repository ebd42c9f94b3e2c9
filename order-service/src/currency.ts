import { invalidArgument } from "@3l1/kit/rpc/violation.ts";

/** The currencies of ISO 4217 that are in use, as the runtime's Unicode data knows them. */
const currencyCodes: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** @throws ConnectError `invalid_argument` for three letters that are no currency */
export function checkCurrency(code: string): void {
  if (currencyCodes.has(code)) return;
  throw invalidArgument({
    field: "currency_code",
    rule: "currency_code.iso_4217",
    message: "must be a currency of ISO 4217",
  });
}
