-- Cancellation after the goods were committed: revoke voids the payment, return puts the goods back. A worker of the previous release that
-- claims such an order doesn't know the step and sets the status needs_attention, and an inventory of the previous release doesn't know the
-- request to return: return_refused. After the rollout, a retry continues both.
-- Safe for the release before: it writes only steps that stay allowed
ALTER TABLE sagas
  DROP CONSTRAINT sagas_step_check,
  ADD CONSTRAINT sagas_step_check CHECK (
    step IN ('reserve', 'authorise', 'commit', 'capture', 'ship', 'release', 'void', 'revoke', 'return')
  );
