-- For the deletion of refusals because of items, which are kept for minutes instead of a month (orderStore.ts).
CREATE INDEX CONCURRENTLY refusals_of_items ON refusals (refused_at) WHERE response::jsonb #>> '{options,type}' = 'items';
