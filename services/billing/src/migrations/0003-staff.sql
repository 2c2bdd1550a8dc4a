-- Name of the staff token with which the refund was requested. NULL: the refund of a cancelled order, or requested with an earlier release.
ALTER TABLE refunds ADD COLUMN requested_by text;
