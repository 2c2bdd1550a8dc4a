import { currencies } from "@store/kit";
import type { Money } from "../../money.ts";

/** Currencies of https://docs.stripe.com/currencies in which Stripe charges cards. An account may accept fewer. */
const accepted = new Set(
  (
    "USD AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CVE CZK " +
    "DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD JPY KES KGS KHR KMF KRW " +
    "KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP " +
    "PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX UYU UZS VND VUV " +
    "WST XAF XCD XCG XOF XPF YER ZAR ZMW"
  ).split(" "),
);

/** Currencies that Stripe accepts and ISO 4217 lists. */
export const stripeCurrencies = currencies.filter((currency) => accepted.has(currency));

/** ISO 4217 has no minor unit for these, but Stripe counts them in hundredths, for compatibility with its older versions. */
const inHundredths = new Set(["ISK", "UGX"]);
/** ISO 4217 has a minor unit of 1/100 for this currency, but Stripe counts it in whole units. */
const inWholeUnits = new Set(["MGA"]);
/** Stripe requires that the last of three digits is 0. */
const inTens = new Set(["BHD", "JOD", "KWD", "OMR", "TND"]);

/** Converts minor units of ISO 4217 to the units in which Stripe counts. Returns undefined if Stripe can't express the amount. */
export function toStripeAmount({ amount, currency }: Money): number | undefined {
  if (inHundredths.has(currency)) return amount * 100;
  if (inWholeUnits.has(currency)) return amount % 100 === 0 ? amount / 100 : undefined;
  return inTens.has(currency) && amount % 10 !== 0 ? undefined : amount;
}

/** Converts an amount of Stripe's to minor units of ISO 4217, rounded down. */
export function fromStripeAmount(amount: number, currency: string): Money {
  const code = currency.toUpperCase();
  if (inHundredths.has(code)) return { amount: Math.floor(amount / 100), currency: code };
  return { amount: inWholeUnits.has(code) ? amount * 100 : amount, currency: code };
}
