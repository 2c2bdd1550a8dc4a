CREATE TABLE shipments (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL,
  status text NOT NULL CHECK (status IN ('created', 'dispatched', 'delivered', 'cancelled')),
  created_at timestamptz NOT NULL DEFAULT now(),
  dispatched_at timestamptz,
  delivered_at timestamptz
);
CREATE INDEX ON shipments (order_id, created_at, id);
