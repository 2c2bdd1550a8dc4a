-- For the metric of pending payments, which each scrape of each replica reads.
CREATE INDEX payments_pending ON payments (provider) WHERE status = 'pending';
