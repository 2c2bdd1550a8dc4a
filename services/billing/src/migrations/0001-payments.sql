CREATE TABLE payments (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL,
  status text NOT NULL
    CHECK (status IN ('unknown', 'authorised', 'captured', 'voided', 'refunded', 'declined')),
  -- In the currency's minor unit.
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON payments (order_id, created_at, id);
