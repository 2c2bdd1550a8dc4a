/** Kinds of attacks, by the number of connections that are kept open. */
export const KINDS = {
  silent: 5000,
  "half-sent": 5000,
  "slow-reading": 5000,
  "kept-alive": 5000,
  "refused requests": 200,
  reconnecting: 100,
} as const;

export type Kind = keyof typeof KINDS;

/** Returns an argument of the process. @throws Error if it is missing. */
export function argument(index: number): string {
  const value = process.argv[index];
  if (value === undefined) throw new Error(`argument ${index - 1} is missing`);
  return value;
}
