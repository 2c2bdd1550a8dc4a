-- Forward only, and the release before goes on working: it reads payments and knows nothing of what comes here.

ALTER TABLE payments
  -- What of a repeated request can't be compared with columns: the token isn't kept. NULL: from before this migration.
  ADD COLUMN token_hash bytea,
  -- Who was asked for the money, and under which name they know the payment (NULL: under ours, or not asked yet).
  ADD COLUMN provider text,
  ADD COLUMN provider_reference text,
  -- Why it was declined: a short word for programs.
  ADD COLUMN decline_reason text CHECK (decline_reason IS NULL OR status = 'declined'),
  -- The sum of its refunds, those on their way included. Reserved here before the provider is asked.
  ADD COLUMN refunded bigint NOT NULL DEFAULT 0,
  -- Who is calling the provider for it right now. Nobody else may, until it is given back or the time is over.
  ADD COLUMN lease uuid,
  ADD COLUMN leased_until timestamptz,
  ADD CONSTRAINT payments_lease CHECK ((lease IS NULL) = (leased_until IS NULL));

UPDATE payments SET refunded = amount WHERE status = 'refunded';

ALTER TABLE payments
  ADD CONSTRAINT payments_refunded_at_most_once CHECK (refunded BETWEEN 0 AND amount),
  ADD CONSTRAINT payments_refunded_after_capture CHECK (
    refunded = 0 OR status IN ('captured', 'refunded')
  );

-- Payments that were called off before they were asked for: a late request for one is refused.
CREATE TABLE payment_tombstones (
  id uuid PRIMARY KEY,
  voided_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE refunds (
  id uuid PRIMARY KEY,
  payment_id uuid NOT NULL REFERENCES payments,
  -- The caller's, who may ask again under it, and of which request it is.
  idempotency_key text,
  request_hash bytea NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  -- pending: kept, and what the provider did isn't known yet; failed: refused for good, and its sum is free again.
  status text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
  reason text,
  failure text CHECK (failure IS NULL OR status = 'failed'),
  -- When a pending one is looked after next, and by whom right now.
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  lease uuid,
  leased_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT refunds_one_for_a_key UNIQUE (payment_id, idempotency_key),
  CONSTRAINT refunds_lease CHECK ((lease IS NULL) = (leased_until IS NULL))
);

CREATE INDEX refunds_pending ON refunds (next_attempt_at) WHERE status = 'pending';

-- The simulated provider's own books. It stands for another company's computer: billing reads none of this, and an entry
-- here is there also when the answer about it was lost.
CREATE TABLE simulated_charges (
  id uuid PRIMARY KEY,
  -- NULL where it was voided before it was asked for.
  order_id uuid,
  amount bigint,
  currency text,
  status text NOT NULL CHECK (status IN ('authorised', 'captured', 'voided', 'declined')),
  decline_reason text,
  -- How its card behaves: the token is not kept.
  flaky boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE simulated_ledger (
  entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  charge_id uuid NOT NULL REFERENCES simulated_charges,
  order_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('authorised', 'captured', 'voided', 'refunded')),
  -- Of a refund, its id: the same one is paid back once.
  refund_id uuid UNIQUE,
  amount bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT simulated_ledger_refunds CHECK ((kind = 'refunded') = (refund_id IS NOT NULL))
);

CREATE INDEX simulated_ledger_charge ON simulated_ledger (charge_id);
