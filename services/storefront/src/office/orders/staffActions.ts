import type { operations } from "@store/contracts/public/orders";
import { html, type Html } from "../../html/html.ts";
import { formatTime } from "../../html/time.ts";

export type StaffAction =
  operations["listStaffActions"]["responses"][200]["content"]["application/json"]["items"][number];

const actionTexts: Record<StaffAction["action"], string> = {
  retry: "Retry",
  cancel: "Cancellation",
  resolve: "Marked as handled",
};

/** Lists what staff did to the order. Refunds and parcels have their own names. */
export function staffActionsSection(actions: readonly StaffAction[]): Html | undefined {
  if (actions.length === 0) return undefined;
  return html`<section aria-labelledby="staff">
    <h2 id="staff">Staff</h2>
    <ol class="history">
      ${actions.map(
        ({ action, staff, at }) =>
          html`<li>${actionTexts[action]} by ${staff} ${formatTime(at)}</li>`,
      )}
    </ol>
  </section>`;
}
