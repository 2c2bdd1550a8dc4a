-- The change up to which the orders have been brought, of those that billing lists: one row, as in shipping_cursor.
CREATE TABLE billing_cursor (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  change bigint NOT NULL DEFAULT 0,
  -- The change as billing described it. NULL: no change yet.
  seen text,
  -- Time of the next poll. One replica at a time polls.
  due_at timestamptz NOT NULL DEFAULT now(),
  caught_up_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO billing_cursor DEFAULT VALUES;

-- What staff must know about the payments of orders: disputes and failed refunds.
CREATE TABLE payment_alerts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  -- Billing's identification of the change, so that none is added twice.
  cause text NOT NULL UNIQUE,
  kind text NOT NULL,
  -- Id of the dispute or refund.
  subject text NOT NULL,
  amount bigint,
  currency text,
  reason text,
  -- The provider accepts an answer until then. NULL: no answer is expected.
  respond_by timestamptz,
  at timestamptz NOT NULL,
  -- Time at which staff marked it as handled, or the dispute ended. An order with an alert without it needs attention.
  settled_at timestamptz
);
CREATE INDEX payment_alerts_open ON payment_alerts (order_id) WHERE settled_at IS NULL;

-- Safe for the release before: it writes only actions that stay allowed
ALTER TABLE staff_actions
  DROP CONSTRAINT staff_actions_action_check,
  ADD CONSTRAINT staff_actions_action_check CHECK (action IN ('retry', 'cancel', 'resolve')) NOT VALID;
