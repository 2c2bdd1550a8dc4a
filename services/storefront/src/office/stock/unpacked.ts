import { UpstreamError, type Reply } from "@store/kit";
import type { Gateway } from "../../gateway/gateway.ts";
import { requireValidToken, staffHeaders } from "../session.ts";

/** Returns the quantity of a product that is sold and not packed yet; `undefined` if shipping doesn't tell. */
export async function countUnpacked(
  { shipping }: Gateway,
  { request }: Reply,
  sku: string,
): Promise<number | undefined> {
  try {
    const answer = await shipping.GET("/api/shipping/unpacked", {
      params: { query: { skus: sku } },
      headers: staffHeaders(request),
    });
    requireValidToken(answer);
    if (answer.data !== undefined) return answer.data.items[0]?.quantity ?? 0;
    request.log.warn(`shipping didn't count unpacked goods: ${answer.response.status}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    request.log.warn(error.message);
    return undefined;
  }
}
