/** How many digits a currency has behind the point: 2 for EUR, 0 for JPY. */
export function digitsOf(currencyCode: string): number {
  return formatOf(currencyCode).resolvedOptions().maximumFractionDigits ?? 2;
}

/** An amount in minor units as people write it. Exact for any size. */
export function formatMoney(minor: bigint, currencyCode: string): string {
  const decimal = decimalOf(minor, digitsOf(currencyCode));
  return formatOf(currencyCode).format(decimal as Intl.StringNumericLiteral);
}

/** What was typed, in minor units; `undefined` if it is no amount of this currency. Point or comma will do. */
export function parseMoney(text: string, currencyCode: string): bigint | undefined {
  const digits = digitsOf(currencyCode);
  const [, whole, fraction = ""] = /^\s*(\d{1,15})(?:[.,](\d*))?\s*$/.exec(text) ?? [];
  if (whole === undefined || fraction.length > digits) return undefined;
  return BigInt(whole + fraction.padEnd(digits, "0"));
}

function decimalOf(minor: bigint, digits: number): string {
  if (digits === 0) return String(minor);
  const text = String(minor).padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function formatOf(currencyCode: string): Intl.NumberFormat {
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency: currencyCode });
  } catch {
    return new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  }
}
