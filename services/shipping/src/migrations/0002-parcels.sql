-- Forward only, and the release before goes on working: it reads shipments and knows nothing of what comes here.

ALTER TABLE shipments
  -- Who gets it and where they live: personal data, for the parcel only. NULL: from before this migration.
  ADD COLUMN recipient jsonb,
  ADD COLUMN lines jsonb NOT NULL DEFAULT '[]';

-- For lists page by page: what waits longest comes first.
CREATE INDEX shipments_by_status ON shipments (status, created_at, id);

-- What happened to shipments, for those who follow it. The numbers have no gaps and are given in the order of commits, so
-- that whoever has seen one has seen all before it.
CREATE TABLE shipment_changes (
  change bigint PRIMARY KEY,
  shipment_id uuid NOT NULL REFERENCES shipments,
  status text NOT NULL CHECK (status IN ('dispatched', 'delivered')),
  at timestamptz NOT NULL,
  -- Each happens once.
  UNIQUE (shipment_id, status)
);

-- What happened before this migration is told, too.
INSERT INTO shipment_changes (change, shipment_id, status, at)
SELECT row_number() OVER (ORDER BY at, status = 'delivered', id), id, status, at
FROM (
  SELECT id, 'dispatched' AS status, dispatched_at AS at FROM shipments
  UNION ALL
  SELECT id, 'delivered', delivered_at FROM shipments
) AS happened
WHERE at IS NOT NULL;
