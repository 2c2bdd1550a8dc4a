-- Sessions of staff in the office. The content is sealed with a key that only the browser's cookie has.
CREATE TABLE staff_sessions (
  id uuid PRIMARY KEY,
  -- Name of the token with which the session was started.
  staff text NOT NULL,
  sealed text NOT NULL,
  used_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

-- Actions of staff on orders. The previous release writes none.
CREATE TABLE staff_actions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  action text NOT NULL CHECK (action IN ('retry', 'cancel')),
  staff text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON staff_actions (order_id, id);
