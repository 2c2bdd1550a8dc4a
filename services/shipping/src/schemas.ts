import { countries, Sku, UpstreamText, Type, Uuid, type Static } from "@store/kit";

const strict = { additionalProperties: false };

const Time = Type.String({ format: "date-time" });

const Recipient = Type.Object(
  {
    name: UpstreamText(200),
    address: Type.Object(
      {
        line1: UpstreamText(200),
        line2: Type.Optional(UpstreamText(200)),
        city: UpstreamText(100),
        postcode: UpstreamText(20),
        country: Type.Enum(countries, {
          description: "ISO 3166-1.",
          "x-message": "must be the two capital letters of a country in ISO 3166-1, as in AU",
        }),
      },
      strict,
    ),
  },
  { ...strict, description: "Who gets it. Kept for the parcel and nothing else." },
);

const Line = Type.Object(
  { sku: Sku, name: UpstreamText(200), quantity: Type.Integer({ minimum: 1, maximum: 1_000_000 }) },
  strict,
);

export const ShipmentRequest = Type.Object(
  {
    order: Uuid,
    recipient: Recipient,
    lines: Type.Array(Line, { minItems: 1, maxItems: 50, description: "What goes into it." }),
  },
  strict,
);
export type ShipmentRequest = Static<typeof ShipmentRequest>;

export const ShipmentStatus = Type.Enum(["pending", "dispatched", "delivered"], {
  type: "string",
  description: "pending: to be packed; dispatched: on its way.",
});
export type ShipmentStatus = Static<typeof ShipmentStatus>;

export const ShipmentReceipt = Type.Object({ id: Uuid, status: ShipmentStatus });
export type ShipmentReceipt = Static<typeof ShipmentReceipt>;

export const Shipment = Type.Object(
  {
    id: Uuid,
    order: Uuid,
    status: ShipmentStatus,
    recipient: Type.Union([Recipient, Type.Null()], {
      description: "Null where it was made by an early release.",
    }),
    lines: Type.Array(Line),
    createdAt: Time,
    dispatchedAt: Type.Union([Time, Type.Null()], { description: "When it left; null before." }),
    deliveredAt: Type.Union([Time, Type.Null()], { description: "When it arrived; null before." }),
  },
  { description: "The parcel of an order, and how far it has come." },
);
export type Shipment = Static<typeof Shipment>;

export const ShipmentPage = Type.Object({
  items: Type.Array(Shipment),
  next: Type.Union([Uuid, Type.Null()], {
    description: "What to give as `after` for the next page; null at the end.",
  }),
});

export const ShipmentChange = Type.Object(
  {
    change: Type.Integer({ description: "Greater than that of every change before." }),
    id: Uuid,
    order: Uuid,
    status: Type.Enum(["dispatched", "delivered"], { type: "string" }),
    at: Time,
  },
  { description: "Something that happened to a shipment." },
);
export type ShipmentChange = Static<typeof ShipmentChange>;
