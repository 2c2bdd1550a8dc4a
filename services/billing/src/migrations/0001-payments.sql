CREATE TABLE payments (
  -- Chosen by who asks for the payment, so that asking again can't make a second one.
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL,
  -- pending: asked for, and what came of it isn't known yet.
  status text NOT NULL CHECK (
    status IN ('pending', 'authorised', 'captured', 'refunded', 'voided', 'declined')
  ),
  -- In the currency's minor unit; no more than a JSON number holds exactly.
  amount bigint NOT NULL CHECK (amount BETWEEN 0 AND 9007199254740991),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX payments_order_id ON payments (order_id);

-- Nobody is charged twice: a second payment of an order is possible only once the first is known to have taken nothing.
-- What was paid back had been taken, so it counts.
CREATE UNIQUE INDEX payments_one_for_an_order ON payments (order_id)
WHERE status NOT IN ('voided', 'declined');
