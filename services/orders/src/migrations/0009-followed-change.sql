-- The change up to which the orders have been brought, as shipping described it: another one under the same number tells that shipping's
-- database was restored or replaced. NULL: from before this migration, or no change yet.
ALTER TABLE shipping_cursor ADD COLUMN seen text;
