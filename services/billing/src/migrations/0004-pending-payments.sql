-- For the metric of pending payments, which each scrape of each replica reads.
CREATE INDEX CONCURRENTLY payments_pending ON payments (provider) WHERE status = 'pending';
