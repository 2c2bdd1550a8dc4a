import { minorUnitDigits } from "@store/kit";

export interface Money {
  /** In the currency's minor unit in ISO 4217. */
  readonly amount: number;
  readonly currency: string;
}

/** Formats an amount for display: 2900 AUD is $29.00, 2900 JPY is JPY 2,900. */
export function formatMoney({ amount, currency }: Money): string {
  return currencyFormat(currency).format(amount / 10 ** minorUnitDigits(currency));
}

/** Formats amounts in several currencies: `$29.00 + JPY 2,900`. */
export function formatTotal(total: readonly Money[]): string {
  return total.map(formatMoney).join(" + ");
}

/** Formats an amount without its currency, for a form field: 2900 AUD is 29.00. */
export function formatAmount({ amount, currency }: Money): string {
  const digits = minorUnitDigits(currency);
  return (amount / 10 ** digits).toFixed(digits);
}

/** Parses the format of {@link formatAmount}, and also "29" and "29.5". @returns `undefined` for an invalid amount. */
export function parseAmount(text: string, currency: string): Money | undefined {
  if (!/^[A-Z]{3}$/.test(currency)) return undefined;
  const digits = minorUnitDigits(currency);
  const [, whole, fraction = ""] = /^(\d{1,16})(?:\.(\d{1,4}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || fraction.length > digits) return undefined;
  // Concatenate the digits instead of multiplying: 10.10 has no exact floating-point value.
  const amount = Number(whole + fraction.padEnd(digits, "0"));
  return Number.isSafeInteger(amount) ? { amount, currency } : undefined;
}

/** Sums the amounts of each currency: the shop converts no currencies. */
export function sumByCurrency(parts: readonly Money[]): Money[] {
  const sums = new Map<string, number>();
  for (const { amount, currency } of parts) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  return [...sums].map(([currency, amount]) => ({ amount, currency }));
}

const formats = new Map<string, Intl.NumberFormat>();

function currencyFormat(currency: string): Intl.NumberFormat {
  const cached = formats.get(currency);
  if (cached !== undefined) return cached;
  // Without the digits, Intl would use those that people write: none for HUF, of which ISO 4217 and payment providers count 1/100.
  const digits = minorUnitDigits(currency);
  const format = new Intl.NumberFormat("en-AU", {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  formats.set(currency, format);
  return format;
}
