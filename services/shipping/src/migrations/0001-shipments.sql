CREATE TABLE shipments (
  -- Chosen by who asks for the shipment, so that asking again can't make a second one.
  id uuid PRIMARY KEY,
  -- An order is one parcel, also when the wish to send it comes twice or comes after it was cancelled.
  order_id uuid NOT NULL UNIQUE,
  status text NOT NULL DEFAULT 'pending' CHECK (
    status IN ('pending', 'dispatched', 'delivered', 'cancelled')
  ),
  created_at timestamptz NOT NULL DEFAULT now(),
  dispatched_at timestamptz,
  delivered_at timestamptz,
  -- Each step leaves its time, and none is skipped. What is on its way can't be cancelled.
  CONSTRAINT shipments_dispatched CHECK (
    (status IN ('dispatched', 'delivered')) = (dispatched_at IS NOT NULL)
  ),
  CONSTRAINT shipments_delivered CHECK ((status = 'delivered') = (delivered_at IS NOT NULL)),
  CONSTRAINT shipments_in_order CHECK (
    created_at <= dispatched_at AND dispatched_at <= delivered_at
  )
);
