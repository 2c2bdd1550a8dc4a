-- Reports of the provider name a payment by the provider's own id.
CREATE INDEX CONCURRENTLY payments_provider_reference ON payments (provider_reference);
