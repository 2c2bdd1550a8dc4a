import {
  forwardCorrelationHeaders,
  UpstreamError,
  type Reply,
  type Request,
  type Service,
} from "@store/kit";
import type { paths as BillingPaths } from "@store/contracts/public/billing";
import type {
  operations as InventoryOperations,
  paths as InventoryPaths,
} from "@store/contracts/public/inventory";
import type {
  operations as OrdersOperations,
  paths as OrdersPaths,
} from "@store/contracts/public/orders";
import type { paths as ShippingPaths } from "@store/contracts/public/shipping";
import { paymentMethodsClient } from "./paymentMethods.ts";

/** Timeout of a request in milliseconds. It includes the requests that the services send to each other. */
const TIMEOUT = 6_000;

/** Typed clients of the store's public API, which is reached through the gateway. */
export type Gateway = ReturnType<typeof gatewayClients>;

export function gatewayClients(service: Service) {
  const { client } = service;
  const options = { timeout: TIMEOUT };
  return {
    paymentMethods: paymentMethodsClient(service),
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

/** An error about one field, as problem documents contain it. */
export interface FieldProblem {
  /** JSON pointer to the field in the request's body. */
  readonly pointer: string;
  /** A predicate without its subject, such as "is missing". */
  readonly message: string;
}

/**
 * Answers a form with 503 after the API did not respond, so that it is unknown whether the request took effect. The page must
 * contain the same form, for the user to submit it again.
 *
 * @throws the error if it is not an {@link UpstreamError}.
 */
export function markOutcomeUnknown(reply: Reply, error: unknown): void {
  if (!(error instanceof UpstreamError)) throw error;
  reply.request.log.warn(error.message);
  reply.code(503).header("retry-after", "2");
}

/** @returns the product; `undefined` if there is none with this SKU. */
export async function findProduct(
  { inventory }: Gateway,
  request: Request,
  sku: string,
): Promise<Product | undefined> {
  const { data } = await inventory.GET("/api/inventory/products/{sku}", {
    params: { path: { sku } },
    headers: forwardCorrelationHeaders(request),
  });
  return data;
}

/**
 * Finds several products with one request.
 *
 * @param skus At most as many as an order may have lines.
 * @returns the products that exist, by SKU.
 */
export async function findProducts(
  { inventory }: Gateway,
  request: Request,
  skus: readonly string[],
): Promise<Map<string, Product>> {
  if (skus.length === 0) return new Map();
  const { data, error } = await inventory.GET("/api/inventory/products", {
    params: { query: { skus: skus.join(",") } },
    headers: forwardCorrelationHeaders(request),
  });
  if (data === undefined) throw new Error(`inventory rejected the list of SKUs: ${error.detail}`);
  return new Map(data.items.map((product) => [product.sku, product]));
}

/** @returns the order; `undefined` if there is none with this id. */
export async function findOrder(
  { orders }: Gateway,
  request: Request,
  id: string,
): Promise<Order | undefined> {
  const { data } = await orders.GET("/api/orders/{id}", {
    params: { path: { id } },
    headers: forwardCorrelationHeaders(request),
  });
  return data;
}
