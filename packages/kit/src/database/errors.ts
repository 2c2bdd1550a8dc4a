/** The database is unreachable or not migrated yet. Answered as 503. */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
}

/** The database cancelled the statement because of contention: a lock, a deadlock or a conflicting transaction. Answered as 503. */
export class DatabaseBusy extends Error {
  override readonly name = "DatabaseBusy";
}

/**
 * Returns true for outages that may end without a change of the service: no connection, starting or stopping, too many clients, a wrong
 * password, a certificate that isn't valid, a server that is read-only (a standby, or while data are moved).
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return (
    networkErrors.has(code) ||
    /^(08|28|53|57P|58)/.test(code) ||
    ["3D000", "25006"].includes(code) ||
    /^(ERR_TLS_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code) ||
    // pg's own errors have no code.
    /^(timeout exceeded when trying to connect|timeout expired|Connection terminated|Query read timeout|Client has encountered a connection error|Client was closed|The server does not support SSL)/.test(
      error.message,
    ) ||
    (error instanceof AggregateError && error.errors.some(isUnavailable))
  );
}

/** Returns true for errors caused by contention: the same statement may succeed when it is repeated. */
export function isBusy(error: unknown): boolean {
  return error instanceof DatabaseBusy || (error instanceof Error && contention.has(codeOf(error)));
}

/** Returns true if PostgreSQL refused the password, which may just be being replaced. Nothing was executed. */
export function isWrongPassword(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === "28P01";
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}

const contention = new Set([
  "57014", // query_canceled: statement_timeout, mostly spent waiting for a lock
  "55P03", // lock_not_available: lock_timeout
  "40P01", // deadlock_detected
  "40001", // serialization_failure: another transaction was first
  "25P03", // idle_in_transaction_session_timeout: this process was frozen
  "25P04", // transaction_timeout
]);

const networkErrors = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
]);
