-- Changes of products by staff, which outlive the product. The previous release writes none.
CREATE TABLE product_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku text COLLATE "C" NOT NULL,
  -- Name of the staff token.
  staff text NOT NULL,
  -- The changed fields of the edit with their previous values. NULL: the product was added.
  before jsonb,
  -- The changed fields with their new values.
  after jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON product_changes (sku, id);
