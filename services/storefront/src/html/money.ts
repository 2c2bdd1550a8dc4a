export interface Money {
  readonly amount: number;
  readonly currency: string;
}

/** An amount in minor units as people write it: 2900 AUD is $29.00, 2900 JPY is JPY 2,900. */
export function formatMoney({ amount, currency }: Money): string {
  return formatOf(currency).format(amount / 10 ** digitsOf(currency));
}

/** The amount alone, as it stands in a field: 2900 AUD is 29.00. */
export function formatAmount({ amount, currency }: Money): string {
  const digits = digitsOf(currency);
  return (amount / 10 ** digits).toFixed(digits);
}

/** Reads what {@link formatAmount} writes, and "29" or "29.5". @returns `undefined` for what is no amount of this currency. */
export function parseAmount(text: string, currency: string): Money | undefined {
  if (!/^[A-Z]{3}$/.test(currency)) return undefined;
  const digits = digitsOf(currency);
  const [, whole, fraction = ""] = /^(\d{1,9})(?:\.(\d{1,4}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || fraction.length > digits) return undefined;
  // Digits are put together, not multiplied: 10.10 has no exact floating-point value.
  return { amount: Number(whole + fraction.padEnd(digits, "0")), currency };
}

/** Sums, one for each currency: nobody sells at an exchange rate here. */
export function totals(parts: readonly Money[]): Money[] {
  const sums = new Map<string, number>();
  for (const { amount, currency } of parts) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  return [...sums].map(([currency, amount]) => ({ amount, currency }));
}

function digitsOf(currency: string): number {
  return formatOf(currency).resolvedOptions().maximumFractionDigits ?? 2;
}

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  const known = formats.get(currency);
  if (known !== undefined) return known;
  const format = new Intl.NumberFormat("en-AU", { style: "currency", currency });
  formats.set(currency, format);
  return format;
}
