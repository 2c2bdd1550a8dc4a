-- What was refused, by the key and the body that it came with: it stays refused, so that whoever was told that nothing is
-- ordered can rely on it, also while the same request is still on its way elsewhere.
CREATE TABLE refusals (
  idempotency_key text NOT NULL,
  request_hash bytea NOT NULL,
  -- The problem document, but for the request's id.
  response text NOT NULL,
  refused_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (idempotency_key, request_hash)
);
CREATE INDEX ON refusals (refused_at);

-- Whether a request can become an order, which is up to the caller until its transaction ends: orders and refusals have no
-- unique index in common. A function's statements see what was committed before each of them; the caller's own wouldn't see
-- what came while it waited here.
CREATE FUNCTION may_become_order(key text, hash bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(key, 0));
  RETURN NOT EXISTS (SELECT FROM refusals WHERE idempotency_key = key AND request_hash = hash);
END $$;
