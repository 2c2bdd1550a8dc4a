-- Of the request that placed it: every call for the order carries it, so that the logs of all services can be put together.
-- The release before doesn't write it.
ALTER TABLE orders ADD COLUMN request_id text NOT NULL DEFAULT gen_random_uuid();

-- Erased when it isn't needed any more.
ALTER TABLE orders ALTER COLUMN payment_token DROP NOT NULL;

-- The staff's list, newest first.
CREATE INDEX ON orders (placed_at, id);
CREATE INDEX ON orders (status, placed_at, id);

-- What is to be done for an order that is under way. It has a row from when it is placed to when it has ended, so the table
-- is as long as the queue.
CREATE TABLE sagas (
  order_id uuid PRIMARY KEY REFERENCES orders,
  step text NOT NULL DEFAULT 'reserve'
    CHECK (step IN ('reserve', 'authorise', 'commit', 'capture', 'ship', 'release', 'void')),
  -- Why it is being cancelled.
  reason text,
  -- How often this step was asked for without a definite answer, and what came last.
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  -- When a worker may take it. While one has it, that is when its lease ends; null: a person must look at it.
  due_at timestamptz DEFAULT now(),
  -- Of the worker that has it. Who takes it over gives it another, and what the one before still writes meets no row.
  lease uuid,
  since timestamptz NOT NULL DEFAULT now()
) WITH (
  -- Rows come and go all the time: dead ones are in the way of every claim.
  fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.1
);
CREATE INDEX ON sagas (due_at) WHERE due_at IS NOT NULL;

-- By a trigger, so that it is there in the same moment as the order, also for what the release before places while it
-- still runs.
CREATE FUNCTION begin_saga() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sagas (order_id, since) VALUES (NEW.id, NEW.placed_at);
  RETURN NULL;
END $$;
CREATE TRIGGER begin_saga AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION begin_saga();
INSERT INTO sagas (order_id, since) SELECT id, placed_at FROM orders WHERE status = 'pending';

-- Up to which of shipping's changes the orders have been brought: one row.
CREATE TABLE shipping_cursor (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  change bigint NOT NULL DEFAULT 0,
  -- When to ask for more: one replica at a time does.
  due_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO shipping_cursor DEFAULT VALUES;
