/** Operations of the saga for one order. */
export const steps = [
  "validate",
  "reserve",
  "authorise",
  "commit",
  "capture",
  "ship",
  "cancel",
  "void",
  "return",
] as const;
export type Step = (typeof steps)[number];
export type Operation = Step | "place" | "look" | "price" | "changes" | "other";

const patterns: readonly (readonly [Operation, RegExp])[] = [
  ["place", /^POST \/api\/orders$/],
  ["look", /^GET \/api\/orders\/([0-9a-f-]{36})$/],
  ["price", /^GET \/internal\/products\?/],
  ["reserve", /^PUT \/internal\/reservations\/([0-9a-f-]{36})$/],
  ["commit", /^POST \/internal\/reservations\/([0-9a-f-]{36})\/commit$/],
  ["cancel", /^POST \/internal\/reservations\/([0-9a-f-]{36})\/cancel$/],
  ["return", /^POST \/internal\/reservations\/([0-9a-f-]{36})\/return$/],
  ["validate", /^POST \/internal\/payments\/([0-9a-f-]{36})\/validate$/],
  ["authorise", /^PUT \/internal\/payments\/([0-9a-f-]{36})$/],
  ["capture", /^POST \/internal\/payments\/([0-9a-f-]{36})\/capture$/],
  ["void", /^POST \/internal\/payments\/([0-9a-f-]{36})\/void$/],
  ["ship", /^PUT \/internal\/shipments\/([0-9a-f-]{36})$/],
  ["changes", /^GET \/internal\/(?:shipments|payments)\/changes\b/],
];

/** Returns a request's operation and the id in its path. */
export function classifyRequest(
  method: string,
  path: string,
): { operation: Operation; id: string } {
  for (const [operation, pattern] of patterns) {
    const match = pattern.exec(`${method} ${path}`);
    if (match !== null) return { operation, id: match[1] ?? "" };
  }
  return { operation: "other", id: "" };
}

export function isStep(operation: Operation): operation is Step {
  return (steps as readonly Operation[]).includes(operation);
}
