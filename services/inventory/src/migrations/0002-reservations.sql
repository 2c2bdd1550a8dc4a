-- The previous release knows nothing of these columns: it shows what is on the shelf as available, and reserves nothing.
ALTER TABLE products
  -- Of those on the shelf, how many are held for orders.
  ADD COLUMN held integer NOT NULL DEFAULT 0,
  -- One more with each edit and each sale: what an edit that was made in the meantime is recognised by.
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD CONSTRAINT products_held_are_there CHECK (held BETWEEN 0 AND on_hand);

-- Rows are never deleted. A cancelled one is a tombstone: the call that it refuses may come at any time. A committed one
-- answers whoever asks again, for as long as somebody may. So nothing may get slower as they grow in number: they are found
-- by their id, and the index that the sweep goes by has only those that are held.
CREATE TABLE reservations (
  id uuid PRIMARY KEY,
  status text NOT NULL CHECK (status IN ('held', 'committed', 'cancelled', 'expired')),
  -- [{"sku": …, "quantity": …}, …] in the order of the SKUs; [] in a tombstone. They are one value, which is only ever
  -- compared and taken as a whole, and foreign keys would lock the products in an order of their own.
  lines jsonb NOT NULL,
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((status = 'held') = (expires_at IS NOT NULL))
);
CREATE INDEX reservations_held ON reservations (expires_at) WHERE status = 'held';
