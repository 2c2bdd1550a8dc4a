import { UpstreamError, type Reply } from "@store/kit";
import type { operations } from "@store/contracts/public/inventory";
import type { Gateway } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import { formatTime } from "../../html/time.ts";
import { requireValidToken, staffHeaders } from "../session.ts";

export type ProductChange =
  operations["listProductChanges"]["responses"][200]["content"]["application/json"]["items"][number];

/** Returns the latest changes of a product by staff; none if inventory doesn't answer. */
export async function findChanges(
  { inventory }: Gateway,
  { request }: Reply,
  sku: string,
): Promise<readonly ProductChange[]> {
  try {
    const answer = await inventory.GET("/api/inventory/stock/{sku}/changes", {
      params: { path: { sku } },
      headers: staffHeaders(request),
    });
    requireValidToken(answer);
    if (answer.data !== undefined) return answer.data.items;
    request.log.warn(`inventory didn't list a product's changes: ${answer.response.status}`);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    request.log.warn(error.message);
  }
  return [];
}

/** Lists the changes of a product by staff, newest first. */
export function changesSection(changes: readonly ProductChange[]): Html | undefined {
  if (changes.length === 0) return undefined;
  return html`<section aria-labelledby="changes">
    <h2 id="changes">Changes by staff</h2>
    <ol class="history">
      ${changes.map(
        (change) =>
          html`<li>${changeText(change)} by ${change.staff} ${formatTime(change.at)}</li>`,
      )}
    </ol>
  </section>`;
}

function changeText({ before, after }: ProductChange): string {
  if (before === null) return "Added";
  const texts = [
    after.price &&
      `Price ${before.price ? formatMoney(before.price) : "?"} → ${formatMoney(after.price)}`,
    after.onHand !== undefined && `In stock ${before.onHand ?? "?"} → ${after.onHand}`,
    after.name !== undefined && "Name",
    after.description !== undefined && "Description",
    after.image !== undefined && "Picture",
  ];
  return texts.filter((text) => typeof text === "string").join(", ");
}
