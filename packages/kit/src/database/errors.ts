/** The database can't be reached, or isn't prepared yet. A caller is told 503. */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
}

/** The database is there and gave up what it was asked for, because of others who are at the same. A caller is told 503. */
export class DatabaseBusy extends Error {
  override readonly name = "DatabaseBusy";
}

/** Whether waiting may help: nobody there, no connection, starting or stopping, too many clients, a wrong password. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return (
    networkErrors.has(code) ||
    /^(08|28|53|57P|58)/.test(code) ||
    code === "3D000" ||
    // pg's own errors have no code.
    /^(timeout exceeded when trying to connect|timeout expired|Connection terminated|Query read timeout|Client has encountered a connection error|Client was closed)/.test(
      error.message,
    ) ||
    (error instanceof AggregateError && error.errors.some(isUnavailable))
  );
}

/** Whether the same may succeed another time, the database being there and the statement right. */
export function isBusy(error: unknown): boolean {
  return error instanceof DatabaseBusy || (error instanceof Error && contention.has(codeOf(error)));
}

export function messageOf(error: unknown): string {
  // Node tries each address of a name; the error over all of them has no message.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}

const contention = new Set([
  "57014", // the statement's time is over: most of it, it waited for a lock
  "55P03", // the time to wait for a lock is over
  "40P01", // a deadlock
  "40001", // another transaction was first
  "25P03", // nothing came in a transaction for too long: we were stopped
  "25P04", // the transaction's time is over
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
