import { Type, Uuid, type App, type Log, type Static } from "@store/kit";
import { UnknownOutcomeError, type PaymentProvider } from "../providers/provider.ts";
import { outcomeUnknown } from "./problems.ts";
import { DeclineReason, PaymentRequest } from "./schemas.ts";

const Validation = Type.Object(
  {
    id: Uuid,
    status: Type.Enum(["usable", "declined"], { type: "string" }),
    reason: Type.Optional(DeclineReason),
  },
  { description: "usable: the bank can still decline the payment." },
);

/** Adds the internal route that validates the payment method of a future payment. Nothing is stored. */
export function addValidationRoute(app: App, provider: PaymentProvider, log: Log): void {
  app.post(
    "/internal/payments/:id/validate",
    {
      schema: {
        operationId: "validatePaymentMethod",
        summary: "Validates the payment method of a future payment, without the bank",
        description:
          "Holds nothing, stores nothing and can be repeated. 503: the provider gave no definite answer; repeat the request.",
        tags: ["internal"],
        params: Type.Object({ id: Uuid }),
        body: Type.Object(
          { token: PaymentRequest.properties.token },
          { additionalProperties: false },
        ),
        response: { 200: Validation },
      },
    },
    ({ params: { id }, body: { token } }) => validate(provider, log, id, token),
  );
}

async function validate(
  provider: PaymentProvider,
  log: Log,
  id: string,
  token: string,
): Promise<Static<typeof Validation>> {
  try {
    const { refusal, ...outcome } = { refusal: undefined, ...(await provider.validate(token)) };
    if (refusal !== undefined) log.error(`The payment provider: ${refusal}`);
    return { id, ...outcome };
  } catch (error) {
    if (!(error instanceof UnknownOutcomeError)) throw error;
    log.warn(`The payment provider: ${error.message}`);
    throw outcomeUnknown();
  }
}
