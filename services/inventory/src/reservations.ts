import { problem, Type, Uuid, type App } from "@store/kit";
import type { ReservationStore } from "./reservationStore.ts";
import { Reservation, ReservationRequest, type Lines } from "./schemas.ts";

const params = Type.Object({ id: Uuid });
const tags = ["reservations"];

/** How orders gets its goods. Its caller chooses the id, and repeats under it whatever it had no answer to. */
export function addReservationRoutes(app: App, reservations: ReservationStore): void {
  app.put(
    "/internal/reservations/:id",
    {
      schema: {
        operationId: "holdStock",
        summary: "Holds stock for an order: all lines or none",
        description:
          "The hold expires by itself; asked again after that, the stock is held again if it is there. " +
          "409 with the type urn:store:problem:out-of-stock names the lines; 409 reservation-cancelled; 422 reservation-differs " +
          "for other lines under the same id.",
        tags,
        params,
        body: ReservationRequest,
        response: { 200: Reservation },
      },
    },
    async ({ params: { id }, body: { lines } }) => {
      refuseRepeated(lines);
      return reservations.hold(id, lines);
    },
  );

  app.post(
    "/internal/reservations/:id/commit",
    {
      schema: {
        operationId: "commitReservation",
        summary: "Takes the reserved goods out of the stock, for good",
        description:
          "409 with the type urn:store:problem:reservation-cancelled, or out-of-stock if it expired and was sold meanwhile.",
        tags,
        params,
        response: {
          200: Type.Object({ id: Uuid, status: Type.Enum(["committed"], { type: "string" }) }),
        },
      },
    },
    ({ params: { id } }) => reservations.commit(id),
  );

  app.post(
    "/internal/reservations/:id/cancel",
    {
      schema: {
        operationId: "cancelReservation",
        summary: "Gives the reserved stock back, and refuses whatever comes later for this id",
        description:
          "Also for an id that is not known yet. 409 with the type urn:store:problem:reservation-committed.",
        tags,
        params,
        response: {
          200: Type.Object({ id: Uuid, status: Type.Enum(["cancelled"], { type: "string" }) }),
        },
      },
    },
    ({ params: { id } }) => reservations.cancel(id),
  );
}

function refuseRepeated(lines: Lines): void {
  const errors = lines.flatMap(({ sku }, line) =>
    lines.findIndex((other) => other.sku === sku) === line
      ? []
      : [
          {
            in: "body" as const,
            pointer: `/lines/${line}/sku`,
            message: `${sku} is in an earlier line`,
          },
        ],
  );
  if (errors.length === 0) return;
  throw problem(422, "Each product may be in one line only.", { type: "sku-repeated", errors });
}
