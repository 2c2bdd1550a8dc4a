/** Returns the message of a thrown value. Joins those of an AggregateError, which has none of its own if Node fails to connect to all addresses of a host. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
