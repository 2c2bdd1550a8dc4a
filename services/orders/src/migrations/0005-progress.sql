-- Since when an order stands at its step, so that one that is stuck is told from one that was placed long ago. By a trigger, so
-- that it is right whoever changes the step: the release before as well.
ALTER TABLE sagas ADD COLUMN step_since timestamptz NOT NULL DEFAULT now();
-- Nobody knows it of those that are under way: they stand there for that long at most.
UPDATE sagas SET step_since = since;
CREATE FUNCTION note_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.step_since = now();
  RETURN NEW;
END $$;
-- Safe for the release before: the trigger sets a column that it does not know, and refuses nothing.
CREATE TRIGGER note_step BEFORE UPDATE OF step ON sagas
  FOR EACH ROW WHEN (OLD.step IS DISTINCT FROM NEW.step) EXECUTE FUNCTION note_step();

-- When the orders were last brought up to all of shipping's changes.
ALTER TABLE shipping_cursor ADD COLUMN caught_up_at timestamptz NOT NULL DEFAULT now();
