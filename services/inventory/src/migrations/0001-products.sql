CREATE TABLE products (
  -- Byte order, whatever the database's locale: pages follow one another by it.
  sku text COLLATE "C" PRIMARY KEY CHECK (sku ~ '^[A-Z0-9][A-Z0-9-]{0,39}$'),
  name text NOT NULL CHECK (name <> ''),
  description text NOT NULL,
  image text NOT NULL,
  -- In the currency's minor unit.
  price_amount integer NOT NULL CHECK (price_amount > 0),
  price_currency text NOT NULL CHECK (price_currency ~ '^[A-Z]{3}$'),
  on_hand integer NOT NULL CHECK (on_hand >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Has a row once it is decided whether this database gets the demo catalogue, so that it never does later.
CREATE TABLE demo_catalogue (
  decided boolean PRIMARY KEY DEFAULT true CHECK (decided),
  decided_at timestamptz NOT NULL DEFAULT now()
);
