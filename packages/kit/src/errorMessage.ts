/** Returns the message of anything thrown. Joins those of an AggregateError, which has none of its own (Node tries each address of a host name). */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
