import { labelOf, markerOf, type Summary, type Verdict } from "@store/cli/review/summary";

/** Returns the summary of a review. Equal texts have equal hashes. */
export function summaryOf(
  verdict: Verdict,
  options: { readonly stack?: string; readonly text?: string; readonly scope?: "checkout" } = {},
): Summary {
  const { stack = "staging", text = verdict, scope = "stack" } = options;
  const hash = Buffer.from(text).toString("hex").padEnd(16, "0").slice(0, 16);
  const danger = { refused: 1, "policy violated": 1, changes: 0, unchanged: 0 } as const;
  const exitCode = verdict in danger ? danger[verdict as keyof typeof danger] : 3;
  const markdown = `${markerOf(stack, hash)}\n### \`${stack}\`: ${text}\n`;
  return {
    schema: 1,
    stack,
    verdict,
    label: labelOf(stack, verdict),
    title: `${stack}: ${text}`,
    status: {
      context: `store/preview (${stack})`,
      state: exitCode === 0 ? "success" : "failure",
      description: text,
    },
    exitCode,
    changed: verdict !== "unchanged",
    hash,
    markdown,
    full: markdown,
    cut: 0,
    review: emptyReview(stack, scope),
  };
}

function emptyReview(stack: string, scope: "stack" | "checkout"): Summary["review"] {
  return {
    stack,
    scope,
    first: false,
    compared: true,
    steps: [],
    unchangedResources: 0,
    services: [],
    dangers: [],
    migrations: [],
    policies: { packs: 0, violations: [] },
    checkout: { services: [] },
  };
}
