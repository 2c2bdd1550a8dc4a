import { Type, type Static } from "@store/kit";
import { DeclineReason } from "../payments/schemas.ts";

const PaymentMethod = Type.Object({
  token: Type.String({ description: "Token to pass as an order's payment.", examples: ["tok_ok"] }),
  name: Type.String({ description: "Label to show to customers." }),
  description: Type.String({
    description: "Sentence to show to customers about the expected outcome.",
  }),
  outcome: Type.Enum(["authorised", "declined"], {
    type: "string",
    description: "Final outcome of a payment with this method.",
  }),
  reason: Type.Optional(DeclineReason),
});

export const PaymentMethods = Type.Object(
  {
    provider: Type.String({
      description: "Name of the payment provider.",
      examples: ["simulated"],
    }),
    movesMoney: Type.Boolean({ description: "false: a trial, in which nobody is charged." }),
    methods: Type.Array(PaymentMethod, {
      description:
        "Payment methods that need nothing but their token. Empty: cards must be entered into the provider's own form, which " +
        "a front end embeds and which creates a token for one order.",
    }),
    currencies: Type.Optional(
      Type.Array(Type.String(), {
        description:
          "ISO 4217 codes of the currencies that the provider can charge. Missing from earlier releases.",
        examples: [["AUD", "NZD"]],
      }),
    ),
  },
  { description: "Payment methods that the store accepts." },
);
export type PaymentMethods = Static<typeof PaymentMethods>;
