CREATE TABLE orders (
  id uuid PRIMARY KEY,
  -- Kept for as long as the order: a retry that comes late must not become a second order.
  idempotency_key text NOT NULL UNIQUE,
  -- Of the body that came with the key, so that the key can't be used for another.
  request_hash bytea NOT NULL,
  -- The answer's body as it was sent, for whoever asks again.
  response text NOT NULL,
  status text NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'confirmed', 'shipped', 'delivered', 'cancelled', 'needs_attention')),
  -- Why it ended badly.
  reason text,
  customer jsonb NOT NULL,
  payment_token text NOT NULL,
  total_amount bigint NOT NULL CHECK (total_amount > 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  placed_at timestamptz NOT NULL DEFAULT now()
);

-- What was ordered, with names and prices as they were then.
CREATE TABLE order_items (
  order_id uuid NOT NULL REFERENCES orders,
  line integer NOT NULL,
  sku text NOT NULL,
  name text NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  price_amount bigint NOT NULL CHECK (price_amount > 0),
  PRIMARY KEY (order_id, line),
  UNIQUE (order_id, sku)
);

-- Each status that an order has had, the first one included.
CREATE TABLE order_history (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  status text NOT NULL,
  reason text,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON order_history (order_id, id);
