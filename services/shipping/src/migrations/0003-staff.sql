-- Names of the staff tokens with which the parcel was marked. NULL: by an earlier release, or not yet.
ALTER TABLE shipments ADD COLUMN dispatched_by text, ADD COLUMN delivered_by text;
