import { currencies, type Reply } from "@store/kit";
import { markOutcomeUnknown, type Gateway } from "../../gateway/gateway.ts";
import type { Fields } from "../../http/forms.ts";
import { requireData, requireValidToken, staffHeaders } from "../session.ts";
import {
  isEtag,
  isUnchanged,
  parseProductForm,
  toFieldErrors,
  toFields,
  type ProductEdit,
  type StockedProduct,
} from "./productEdit.ts";
import { sendProductForm } from "./productForm.ts";
import { countUnpacked } from "./unpacked.ts";

interface Submission {
  readonly sku: string;
  readonly fields: Fields;
  readonly isNew: boolean;
}

/** Saves a submitted product form, unless the product has changed since the form was created. */
export async function saveProduct(
  gateway: Gateway,
  reply: Reply,
  { sku, fields, isNew }: Submission,
): Promise<Reply> {
  const { edit, errors } = parseProductForm(fields);
  const current = isNew ? undefined : await findStockedProduct(gateway, reply, sku);
  const product = current?.product;
  if (!/^[A-Z0-9][A-Z0-9-]{0,39}$/.test(sku)) {
    errors.set("sku", "An SKU has 1 to 40 capital letters, digits and hyphens, such as MUG-STONE.");
  }
  if (edit !== undefined && edit.price.currency !== product?.price.currency)
    await checkCurrency(gateway, reply, edit.price.currency, errors);
  if (edit === undefined || errors.size > 0) {
    reply.code(422);
    return sendProductForm(reply, {
      product,
      fields,
      errors,
      notice: CORRECT_FIELDS,
    });
  }

  const etag = fields["etag"] ?? "";
  if (!isNew && !isEtag(etag)) return sendConflict(gateway, reply, { sku, fields, edit });
  // A dispatch doesn't change the product's version, but the count of the shelf.
  if (current?.etag === etag) {
    const unpacked = await countUnpacked(gateway, reply, sku);
    if (toFields(current.product, unpacked).unpacked !== (fields["unpacked"] ?? ""))
      return sendCurrent(reply, { fields, ...current, unpacked });
  }
  const answer = await putProduct(gateway, reply, { sku, edit, etag: isNew ? undefined : etag });
  if (answer === undefined) {
    return sendProductForm(reply, { product, fields, notice: OUTCOME_UNKNOWN });
  }
  requireValidToken(answer);
  const { data, error, response } = answer;
  if (data !== undefined) return redirectToList(reply, sku);
  reply.code(response.status);
  if (response.status === 412) {
    return isNew
      ? sendExists(gateway, reply, { sku, fields, edit })
      : sendConflict(gateway, reply, { sku, fields, edit });
  }
  if (error.type === "urn:store:problem:stock-held") {
    errors.set("onHand", `${error.detail} Nothing was changed.`);
  }
  const fieldErrors = toFieldErrors(error.errors ?? []);
  for (const [field, text] of fieldErrors) errors.set(field, text);
  const notice = fieldErrors.length > 0 ? CORRECT_FIELDS : error.detail;
  return sendProductForm(reply, { product, fields, errors, notice });
}

/** Adds an error for a currency that nobody could pay in. The API of inventory refuses a code that is no currency. */
async function checkCurrency(
  { paymentMethods }: Gateway,
  { request }: Reply,
  currency: string,
  errors: Map<string, string>,
): Promise<void> {
  if (!currencies.includes(currency)) return;
  const methods = await paymentMethods(request);
  if (methods?.currencies === undefined || methods.currencies.includes(currency)) return;
  errors.set(
    "currency",
    `The payment provider ${methods.provider} takes no payments in ${currency}. Enter another currency.`,
  );
}

const CORRECT_FIELDS = "Please correct the fields below.";

const OUTCOME_UNKNOWN =
  "The shop’s inventory didn’t respond, so we don’t know whether your changes were saved. Please press “Save” again in a moment: " +
  "changes that others made meanwhile won’t be overwritten.";

interface ProductUpdate {
  readonly sku: string;
  readonly edit: ProductEdit;
  /** Version of the product to replace; `undefined` to create a product. */
  readonly etag: string | undefined;
}

/** @returns the API's response; `undefined` if there was none, in which case the reply's status is set. */
function putProduct(gateway: Gateway, reply: Reply, { sku, edit, etag }: ProductUpdate) {
  const header = etag === undefined ? { "if-none-match": "*" } : { "if-match": etag };
  return gateway.inventory
    .PUT("/api/inventory/products/{sku}", {
      params: { path: { sku }, header },
      body: edit,
      headers: staffHeaders(reply.request),
    })
    .catch((error: unknown) => {
      markOutcomeUnknown(reply, error);
      return undefined;
    });
}

interface RejectedEdit {
  readonly sku: string;
  readonly fields: Fields;
  readonly edit: ProductEdit;
}

/** Reports that a new product's SKU is taken, unless an earlier submission of this form has created the product. */
async function sendExists(
  gateway: Gateway,
  reply: Reply,
  { sku, fields, edit }: RejectedEdit,
): Promise<Reply> {
  const { product } = await findStockedProduct(gateway, reply, sku);
  if (isUnchanged(edit, product)) return redirectToList(reply, sku);
  const errors = new Map([["sku", "A product with this SKU already exists."]]);
  return sendProductForm(reply, { fields, errors, notice: "The product was not created." });
}

/**
 * Shows the current values next to the entered ones, so that saving again is a deliberate choice. If they are equal, an earlier
 * submission of this form has saved them.
 */
async function sendConflict(
  gateway: Gateway,
  reply: Reply,
  { sku, fields, edit }: RejectedEdit,
): Promise<Reply> {
  const current = await findStockedProduct(gateway, reply, sku);
  if (isUnchanged(edit, current.product)) return redirectToList(reply, sku);
  const unpacked = await countUnpacked(gateway, reply, sku);
  return sendCurrent(reply, { fields, ...current, unpacked });
}

interface Conflict {
  readonly fields: Fields;
  readonly product: StockedProduct;
  readonly etag: string;
  readonly unpacked: number | undefined;
}

/** Sends the form again, with the current values next to the entered ones. */
function sendCurrent(reply: Reply, { fields, product, etag, unpacked }: Conflict): Reply {
  const current = toFields(product, unpacked);
  const errors = new Map(
    Object.entries(current)
      .filter(([field, value]) => (fields[field] ?? "").trim() !== value)
      .map(([field, value]) => [field, `Current value: ${value}`] as const),
  );
  reply.code(412);
  return sendProductForm(reply, {
    product,
    fields: { ...fields, etag, unpacked: current.unpacked },
    errors,
    notice:
      "Someone else, a sale or a parcel changed this product after you opened it. Your changes were not saved. " +
      "Check the current values below, and save again to overwrite them.",
  });
}

function redirectToList(reply: Reply, sku: string): Reply {
  return reply.redirect(`/office/stock?saved=${sku}`, 303);
}

/** Returns a product and its ETag. @throws the API's problem if there is no such product. */
export async function findStockedProduct({ inventory }: Gateway, { request }: Reply, sku: string) {
  const answer = await inventory.GET("/api/inventory/stock/{sku}", {
    params: { path: { sku } },
    headers: staffHeaders(request),
  });
  return { product: requireData(answer), etag: answer.response.headers.get("etag") ?? "" };
}
