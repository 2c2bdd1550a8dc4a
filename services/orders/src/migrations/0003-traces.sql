-- Of the request that placed it (W3C's traceparent): the spans of its steps hang on it. NULL: no traces, or from the release
-- before.
ALTER TABLE orders ADD COLUMN traceparent text;
