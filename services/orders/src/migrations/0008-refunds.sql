-- Cancellation after the payment was captured: unship cancels the parcel, refund refunds the payment, return puts the goods back. A worker of
-- the previous release that claims such an order doesn't know the step and sets the status needs_attention, and a shipping or billing of the
-- previous release doesn't know the request: unship_refused or refund_refused. After the rollout, a retry continues each of them.
-- Safe for the release before: it writes only steps that stay allowed
ALTER TABLE sagas
  DROP CONSTRAINT sagas_step_check,
  ADD CONSTRAINT sagas_step_check CHECK (
    step IN (
      'reserve', 'authorise', 'commit', 'capture', 'ship', 'release', 'void', 'revoke', 'return', 'unship', 'refund'
    )
  );
