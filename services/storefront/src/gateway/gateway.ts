import { passOn, UpstreamError, type Reply, type Request, type Service } from "@store/kit";
import type { paths as BillingPaths } from "@store/contracts/public/billing";
import type {
  operations as InventoryOperations,
  paths as InventoryPaths,
} from "@store/contracts/public/inventory";
import type { operations as OrdersOperations, paths as OrdersPaths } from "@store/contracts/public/orders";
import type { paths as ShippingPaths } from "@store/contracts/public/shipping";
import { paymentMethods } from "./paymentMethods.ts";

/** How long an answer may take, in milliseconds: what the services behind the gateway need to ask each other is in it. */
const TIMEOUT = 6_000;

/** The store's API as everybody sees it, behind the one door. */
export type Gateway = ReturnType<typeof gatewayClients>;

export function gatewayClients(service: Service) {
  const { client } = service;
  const options = { timeout: TIMEOUT };
  return {
    paymentMethods: paymentMethods(service),
    inventory: client<InventoryPaths>("gateway", options),
    orders: client<OrdersPaths>("gateway", options),
    billing: client<BillingPaths>("gateway", options),
    shipping: client<ShippingPaths>("gateway", options),
  };
}

export type Product =
  InventoryOperations["getProduct"]["responses"][200]["content"]["application/json"];
export type ProductPage =
  InventoryOperations["listProducts"]["responses"][200]["content"]["application/json"];
export type Order = OrdersOperations["getOrder"]["responses"][200]["content"]["application/json"];
export type OrderRequest = NonNullable<
  OrdersOperations["placeOrder"]["requestBody"]
>["content"]["application/json"];

/** What a problem document says of single fields. */
export interface FieldProblem {
  readonly pointer: string;
  readonly message: string;
}

/** @returns the product; `undefined` where there is none under this SKU. */
export async function findProduct(
  { inventory }: Gateway,
  request: Request,
  sku: string,
): Promise<Product | undefined> {
  const { data } = await inventory.GET("/api/inventory/products/{sku}", {
    params: { path: { sku } },
    headers: passOn(request),
  });
  return data;
}

/**
 * Says with a page that it isn't known what came of a form, since no answer came. What the page has is the same form again.
 *
 * @throws what is anything else than that.
 */
export function markUnknown(reply: Reply, error: unknown): void {
  if (!(error instanceof UpstreamError)) throw error;
  reply.request.log.warn(error.message);
  reply.code(503).header("retry-after", "2");
}

/** @returns those of these products that there are, by their SKUs. At most as many as an order has lines. */
export async function findProducts(
  { inventory }: Gateway,
  request: Request,
  skus: readonly string[],
): Promise<Map<string, Product>> {
  if (skus.length === 0) return new Map();
  const { data, error } = await inventory.GET("/api/inventory/products", {
    params: { query: { skus: skus.join(",") } },
    headers: passOn(request),
  });
  if (data === undefined) throw new Error(`inventory takes no list of SKUs: ${error.detail}`);
  return new Map(data.items.map((product) => [product.sku, product]));
}

/** @returns the order; `undefined` where there is none of this id. */
export async function findOrder(
  { orders }: Gateway,
  request: Request,
  id: string,
): Promise<Order | undefined> {
  const { data } = await orders.GET("/api/orders/{id}", {
    params: { path: { id } },
    headers: passOn(request),
  });
  return data;
}
