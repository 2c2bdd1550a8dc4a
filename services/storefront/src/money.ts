interface Money {
  readonly amount: number;
  readonly currency: string;
}

/** An amount in minor units as people write it: 2900 AUD is $29.00, 2900 JPY is JPY 2,900. */
export function formatMoney({ amount, currency }: Money): string {
  const format = formatOf(currency);
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amount / 10 ** digits);
}

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  const known = formats.get(currency);
  if (known !== undefined) return known;
  const format = new Intl.NumberFormat("en-AU", { style: "currency", currency });
  formats.set(currency, format);
  return format;
}
