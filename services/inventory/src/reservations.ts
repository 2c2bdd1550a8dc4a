import { problem, Type, Uuid, type App } from "@store/kit";
import type { ReservationStore } from "./reservationStore.ts";
import { Reservation, ReservationRequest, type Lines } from "./schemas.ts";

const params = Type.Object({ id: Uuid });
const tags = ["reservations"];

/** Adds the routes with which orders reserves stock. The caller chooses the id and repeats a request under it if it got no response. */
export function addReservationRoutes(app: App, reservations: ReservationStore): void {
  app.put(
    "/internal/reservations/:id",
    {
      schema: {
        operationId: "holdStock",
        summary: "Holds stock for all lines of an order, or for none",
        description:
          "The hold expires by itself; a repeated request after that holds the stock again if it is available. " +
          "409 with the type urn:store:problem:out-of-stock names the lines; 409 reservation-cancelled; 422 reservation-differs " +
          "for other lines under the same id.",
        tags,
        params,
        body: ReservationRequest,
        response: { 200: Reservation },
      },
    },
    async ({ params: { id }, body: { lines } }) => {
      rejectRepeatedSkus(lines);
      return reservations.hold(id, lines);
    },
  );

  app.post(
    "/internal/reservations/:id/commit",
    {
      schema: {
        operationId: "commitReservation",
        summary: "Removes the reserved goods from the stock permanently",
        description:
          "409 with the type urn:store:problem:reservation-cancelled, or out-of-stock if the hold expired and its stock was sold.",
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
        summary: "Releases the reserved stock and rejects later requests for this id",
        description:
          "Also for an unknown id. 409 with the type urn:store:problem:reservation-committed.",
        tags,
        params,
        response: {
          200: Type.Object({ id: Uuid, status: Type.Enum(["cancelled"], { type: "string" }) }),
        },
      },
    },
    ({ params: { id } }) => reservations.cancel(id),
  );

  app.post(
    "/internal/reservations/:id/return",
    {
      schema: {
        operationId: "returnReservation",
        summary: "Puts the goods of a committed reservation back into the stock",
        description:
          "For an order that ends after its goods were committed. Cancels any other reservation. Later requests for this id are rejected.",
        tags,
        params,
        response: {
          200: Type.Object({ id: Uuid, status: Type.Enum(["cancelled"], { type: "string" }) }),
        },
      },
    },
    ({ params: { id } }) => reservations.return(id),
  );
}

function rejectRepeatedSkus(lines: Lines): void {
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
  throw problem(422, "Each product may occur in only one line.", { type: "sku-repeated", errors });
}
