-- Reports of the payment provider that were applied, by the provider's own id, so that none is applied twice.
CREATE TABLE provider_reports (
  id text PRIMARY KEY,
  -- Time of the report at the provider.
  at timestamptz NOT NULL
);
CREATE INDEX provider_reports_at ON provider_reports (at);

-- How far each provider's reports have been read.
CREATE TABLE report_cursors (
  provider text PRIMARY KEY,
  -- Time of the newest report that was read, at the provider. NULL: none yet.
  newest timestamptz,
  -- Time of the next poll. One replica at a time polls.
  due_at timestamptz NOT NULL DEFAULT now(),
  -- Number of failed polls since the last complete one.
  failures integer NOT NULL DEFAULT 0,
  -- Time of the last complete poll.
  caught_up_at timestamptz NOT NULL DEFAULT now()
);

-- Disputes (chargebacks and inquiries) of captured payments.
CREATE TABLE disputes (
  -- The provider's own id.
  id text PRIMARY KEY,
  payment_id uuid NOT NULL REFERENCES payments,
  amount bigint NOT NULL CHECK (amount >= 0),
  status text NOT NULL CHECK (status IN ('open', 'won', 'lost')),
  reason text NOT NULL,
  -- The provider accepts an answer until then. NULL: no answer is expected.
  respond_by timestamptz,
  -- Time of the report that the row comes from. Older ones that arrive later change nothing.
  reported_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX disputes_payment_id ON disputes (payment_id);
CREATE INDEX disputes_open ON disputes (id) WHERE status = 'open';

-- Changes of payments that orders follow. The numbers have no gaps and are given in the order of commits: whoever has seen one has seen all before it.
CREATE TABLE payment_changes (
  change bigint PRIMARY KEY,
  -- Identifies the cause, so that it is recorded once.
  cause text NOT NULL UNIQUE,
  payment_id uuid NOT NULL REFERENCES payments,
  kind text NOT NULL,
  -- Id of the refund or dispute.
  subject text,
  amount bigint,
  reason text,
  respond_by timestamptz,
  at timestamptz NOT NULL DEFAULT now()
);
