import { Sku, UpstreamText, Type, Uuid, type Static } from "@store/kit";

const strict = { additionalProperties: false };

const Time = Type.String({ format: "date-time" });

const Staff = Type.String({
  description: "Name of the staff token. Missing for shipments of an earlier release.",
});

const Recipient = Type.Object(
  {
    name: UpstreamText(200),
    address: Type.Object(
      {
        line1: UpstreamText(200),
        line2: Type.Optional(UpstreamText(200)),
        city: UpstreamText(100),
        postcode: UpstreamText(20),
        // Orders has checked that the country exists. By an older list of countries here, a paid order couldn't be sent.
        country: Type.String({
          pattern: "^[A-Z]{2}$",
          description: "ISO 3166-1.",
          "x-message": "must be an ISO 3166-1 country code of two capital letters, such as AU",
          examples: ["AU"],
        }),
      },
      strict,
    ),
  },
  { ...strict, description: "The recipient. Personal data, stored for this parcel only." },
);

const Line = Type.Object(
  { sku: Sku, name: UpstreamText(200), quantity: Type.Integer({ minimum: 1, maximum: 1_000_000 }) },
  strict,
);

export const ShipmentRequest = Type.Object(
  {
    order: Uuid,
    recipient: Recipient,
    lines: Type.Array(Line, { minItems: 1, maxItems: 50, description: "Contents of the parcel." }),
  },
  strict,
);
export type ShipmentRequest = Static<typeof ShipmentRequest>;

export const ShipmentStatus = Type.Enum(["pending", "dispatched", "delivered", "cancelled"], {
  type: "string",
  description: "pending: not packed yet; dispatched: in transit; cancelled: must not be packed.",
});
export type ShipmentStatus = Static<typeof ShipmentStatus>;

export const ShipmentReceipt = Type.Object({ id: Uuid, status: ShipmentStatus });
export type ShipmentReceipt = Static<typeof ShipmentReceipt>;

export const ShipmentCancellation = Type.Object({ order: Uuid }, strict);
export const CancelledShipment = Type.Object({
  id: Uuid,
  status: Type.Enum(["cancelled"], { type: "string" }),
});
export type CancelledShipment = Static<typeof CancelledShipment>;

export const Shipment = Type.Object(
  {
    id: Uuid,
    order: Uuid,
    status: ShipmentStatus,
    recipient: Type.Union([Recipient, Type.Null()], {
      description: "Null for shipments of an early release, or cancelled before they were created.",
    }),
    lines: Type.Array(Line),
    createdAt: Time,
    dispatchedAt: Type.Union([Time, Type.Null()], { description: "Null before dispatch." }),
    deliveredAt: Type.Union([Time, Type.Null()], { description: "Null before delivery." }),
    dispatchedBy: Type.Optional(Staff),
    deliveredBy: Type.Optional(Staff),
  },
  { description: "The parcel of an order and its status." },
);
export type Shipment = Static<typeof Shipment>;

export const ShipmentPage = Type.Object({
  items: Type.Array(Shipment),
  next: Type.Union([Uuid, Type.Null()], {
    description: "Value of `after` for the next page; null on the last page.",
  }),
});

export const UnpackedProduct = Type.Object(
  {
    sku: Sku,
    quantity: Type.Integer({ minimum: 1, description: "Quantity in pending shipments." }),
  },
  { description: "A product that is sold and still on the shelf." },
);
export type UnpackedProduct = Static<typeof UnpackedProduct>;

export const ShipmentChange = Type.Object(
  {
    change: Type.Integer({
      description: "Sequence number, greater than that of every earlier change.",
    }),
    id: Uuid,
    order: Uuid,
    status: Type.Enum(["dispatched", "delivered"], { type: "string" }),
    at: Time,
  },
  { description: "A change of a shipment's status." },
);
export type ShipmentChange = Static<typeof ShipmentChange>;
