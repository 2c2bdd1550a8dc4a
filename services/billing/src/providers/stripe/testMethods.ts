import type { PaymentMethods } from "../../methods/schemas.ts";

/** Stripe's test cards by their ids in https://docs.stripe.com/testing. They work with a test key only. */
export const testMethods: PaymentMethods["methods"] = [
  {
    token: "pm_card_visa",
    name: "Card that is accepted",
    description: "The payment is confirmed at once.",
    outcome: "authorised",
  },
  {
    token: "pm_card_visa_chargeDeclined",
    name: "Declined card",
    description: "The bank declines the card.",
    outcome: "declined",
    reason: "declined",
  },
  {
    token: "pm_card_visa_chargeDeclinedInsufficientFunds",
    name: "Card without funds",
    description: "The card has insufficient funds.",
    outcome: "declined",
    reason: "insufficient_funds",
  },
  {
    token: "pm_card_chargeDeclinedExpiredCard",
    name: "Expired card",
    description: "The card has expired and is declined.",
    outcome: "declined",
    reason: "expired_card",
  },
  {
    token: "pm_card_authenticationRequired",
    name: "Card that needs verification",
    description:
      "The bank asks for a verification, which isn’t supported here. The card is declined.",
    outcome: "declined",
    reason: "authentication_required",
  },
];
