const codes =
  "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC " +
  "CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD " +
  "IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR " +
  "MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK " +
  "SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST " +
  "XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/**
 * The ISO 4217 codes of currencies in circulation, without withdrawn codes (BGN since the end of 2025) and codes for funds, metals and
 * tests. Written out because Node's own list changes with its version, and the published interface must not.
 */
export const currencies: readonly string[] = codes.split(" ");

const withoutMinorUnit = new Set(
  "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" "),
);
const withThousandths = new Set("BHD IQD JOD KWD LYD OMR TND".split(" "));

/**
 * Returns the number of decimal digits of a currency's minor unit in ISO 4217: 2 for AUD, 0 for JPY, 3 for KWD; 2 for unknown codes.
 * Amounts in the published interfaces count in this unit. `Intl` is no substitute: it has the digits that people write, so it differs
 * for HUF, IDR and a dozen more, and changes with Node's version.
 */
export function minorUnitDigits(currency: string): 0 | 2 | 3 {
  if (withoutMinorUnit.has(currency)) return 0;
  return withThousandths.has(currency) ? 3 : 2;
}
