import { UpstreamError, type Reply } from "@store/kit";
import type { Gateway } from "../../gateway/gateway.ts";
import { requireValidToken, staffHeaders } from "../session.ts";

/** Returns the quantity of a product that is sold and not packed yet; `undefined` if orders or shipping can't say. */
export async function countUnpacked(
  { orders, shipping }: Gateway,
  reply: Reply,
  sku: string,
): Promise<number | undefined> {
  const options = { params: { query: { skus: sku } }, headers: staffHeaders(reply.request) };
  // One after the other: goods whose order gets its parcel in between must not be missed.
  const withoutParcel = await readQuantity(reply, "orders", () =>
    orders.GET("/api/orders/committed", options),
  );
  const inParcels = await readQuantity(reply, "shipping", () =>
    shipping.GET("/api/shipping/unpacked", options),
  );
  return withoutParcel === undefined || inParcels === undefined
    ? undefined
    : withoutParcel + inParcels;
}

interface Count {
  readonly data?: { readonly items: readonly { readonly quantity: number }[] };
  readonly response: Response;
}

async function readQuantity(
  { request }: Reply,
  service: string,
  count: () => Promise<Count>,
): Promise<number | undefined> {
  try {
    const answer = await count();
    requireValidToken(answer);
    if (answer.data !== undefined) return answer.data.items[0]?.quantity ?? 0;
    request.log.warn(`${service} didn't count unpacked goods: ${answer.response.status}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    request.log.warn(error.message);
    return undefined;
  }
}
