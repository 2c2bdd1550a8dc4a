import assert from "node:assert/strict";
import type { Review } from "@store/cli/review/model/reviewModel";
import { verdictOf } from "@store/cli/review/render/verdict";
import { VERDICTS } from "@store/cli/review/summary";

describe("verdictOf", () => {
  /** Parts of a review that cause a verdict. */
  const causes: Readonly<Record<string, Partial<Review>>> = {
    "data at risk": { dangers: [danger("data")] },
    "policy violated": { policies: { violations: [{ mandatory: true }] } as Review["policies"] },
    refused: { refusal: {} as Review["refusal"] },
    "opens to the network": { dangers: [danger("exposure")] },
    "virtual machine replaced": { dangers: [danger("vm")] },
    changes: { steps: [{ inherited: false }] as Review["steps"] },
    unchanged: {},
  };

  for (const [i, verdict] of VERDICTS.entries())
    it(`is "${verdict}" for a review to which the later ones apply, too`, () => {
      const parts = VERDICTS.slice(i).map((one) => causes[one] ?? assert.fail(one));
      const dangers = parts.flatMap((part) => part.dangers ?? []);
      const policies = { violations: [] } as unknown as Review["policies"];
      const nothing: Partial<Review> = { scope: "stack", services: [], steps: [], policies };
      const review = parts.reduce((sum, part) => ({ ...sum, ...part }), nothing);
      assert.equal(verdictOf({ ...(review as Review), dangers }), verdict);
    });
});

function danger(kind: Review["dangers"][number]["kind"]): Review["dangers"][number] {
  return { kind, inherited: false } as Review["dangers"][number];
}
