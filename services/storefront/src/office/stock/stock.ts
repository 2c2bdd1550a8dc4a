import { Sku, Type, type App, type Reply } from "@store/kit";
import { complaint, describedBy, type Complaints } from "../../html/fieldErrors.ts";
import { Fields } from "../../http/forms.ts";
import { markUnknown, type FieldProblem, type Gateway } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { formatAmount, formatMoney, parseAmount } from "../../html/money.ts";
import { sendOfficePage } from "../layout.ts";
import { checkLogin, granted, staffHeaders } from "../session.ts";
import type { operations } from "@store/contracts/public/inventory";

type Stocked = operations["getStock"]["responses"][200]["content"]["application/json"];
type StockPage = operations["listStock"]["responses"][200]["content"]["application/json"];
type Edit = NonNullable<operations["putProduct"]["requestBody"]>["content"]["application/json"];

const CURRENT = "/office/stock";
const PAGE_SIZE = 50;
const params = Type.Object({ sku: Sku });

export function addStock(app: App, gateway: Gateway): void {
  const { inventory } = gateway;

  app.get(
    "/office/stock",
    {
      schema: {
        hide: true,
        querystring: Type.Object({
          q: Type.Optional(Type.String({ maxLength: 100 })),
          after: Type.Optional(Sku),
          saved: Type.Optional(Sku),
        }),
      },
    },
    async (request, reply) => {
      const { after, saved } = request.query;
      const q = request.query.q?.trim() || undefined;
      const page = granted(
        await inventory.GET("/api/inventory/stock", {
          params: { query: { limit: PAGE_SIZE, after, q } },
          headers: staffHeaders(request),
        }),
      );
      return sendOfficePage(reply, {
        title: "Stock",
        current: CURRENT,
        main: listPage(page, { q, saved }),
      });
    },
  );

  app.get("/office/new-product", { schema: { hide: true } }, async (request, reply) => {
    staffHeaders(request);
    return sendForm(reply, { fields: { currency: "AUD", onHand: "0" } });
  });

  app.post(
    "/office/new-product",
    { schema: { hide: true, body: Fields } },
    async (request, reply) => {
      const fields: Fields = request.body;
      return save(gateway, reply, { sku: (fields["sku"] ?? "").trim(), fields, isNew: true });
    },
  );

  app.get("/office/stock/:sku", { schema: { hide: true, params } }, async (request, reply) => {
    const { product, etag } = await find(gateway, reply, request.params.sku);
    return sendForm(reply, { product, fields: { ...fieldsOf(product), etag } });
  });

  app.post(
    "/office/stock/:sku",
    { schema: { hide: true, params, body: Fields } },
    async (request, reply) =>
      save(gateway, reply, { sku: request.params.sku, fields: request.body, isNew: false }),
  );
}

async function find({ inventory }: Gateway, { request }: Reply, sku: string) {
  const answer = await inventory.GET("/api/inventory/stock/{sku}", {
    params: { path: { sku } },
    headers: staffHeaders(request),
  });
  return { product: granted(answer), etag: answer.response.headers.get("etag") ?? "" };
}

interface Saving {
  readonly sku: string;
  readonly fields: Fields;
  readonly isNew: boolean;
}

/** Saves what was entered, only if nobody else has saved since the form was made. */
async function save(
  gateway: Gateway,
  reply: Reply,
  { sku, fields, isNew }: Saving,
): Promise<Reply> {
  const { edit, complaints } = readEdit(fields);
  const product = isNew ? undefined : (await find(gateway, reply, sku)).product;
  if (!/^[A-Z0-9][A-Z0-9-]{0,39}$/.test(sku)) {
    complaints.set(
      "sku",
      "An SKU is 1 to 40 capital letters, digits and hyphens, as in MUG-STONE.",
    );
  }
  if (edit === undefined || complaints.size > 0) {
    reply.code(422);
    return sendForm(reply, { product, fields, complaints, notice: "Not everything is right yet." });
  }

  const etag = fields["etag"] ?? "";
  if (!isNew && !isEtag(etag)) return sendConflict(gateway, reply, { sku, fields, edit });
  const request = {
    params: {
      path: { sku },
      header: isNew ? { "if-none-match": "*" } : { "if-match": etag },
    },
    body: edit,
    headers: staffHeaders(reply.request),
  };
  const answer = await gateway.inventory
    .PUT("/api/inventory/products/{sku}", request)
    .catch((error: unknown) => {
      markUnknown(reply, error);
      return undefined;
    });
  if (answer === undefined) return sendForm(reply, { product, fields, notice: UNKNOWN });
  checkLogin(answer);
  const { data, error, response } = answer;
  if (data !== undefined) return sendSaved(reply, sku);
  reply.code(response.status);
  if (response.status === 412) {
    if (!isNew) return sendConflict(gateway, reply, { sku, fields, edit });
    // Sent twice, it is there as it was entered.
    if (isAs(edit, (await find(gateway, reply, sku)).product)) return sendSaved(reply, sku);
    complaints.set("sku", "There is a product of this SKU already.");
    return sendForm(reply, { fields, complaints, notice: "Nothing was overwritten." });
  }
  if (error.type === "urn:store:problem:stock-held") {
    complaints.set("onHand", `${error.detail} Nothing was changed.`);
  }
  for (const [field, text] of apiComplaints(error.errors ?? [])) complaints.set(field, text);
  return sendForm(reply, { product, fields, complaints, notice: error.detail });
}

const UNKNOWN =
  "No answer came, so we don’t know whether this was saved. Please press “Save” again in a moment: it won’t be put in the " +
  "place of anything else that has changed meanwhile.";

function sendSaved(reply: Reply, sku: string): Reply {
  return reply.redirect(`${CURRENT}?saved=${sku}`, 303);
}

/** Whether it can be what inventory gave us. Anything else would ask for no condition, or couldn't be sent. */
function isEtag(text: string): boolean {
  return /^(W\/)?"[\x21\x23-\x7e]{1,200}"$/.test(text);
}

function isAs({ name, description, price, onHand }: Edit, now: Stocked): boolean {
  return (
    name === now.name &&
    description === now.description &&
    price.amount === now.price.amount &&
    price.currency === now.price.currency &&
    onHand === now.onHand
  );
}

/**
 * It isn't what it was when the form was made. If it is as was entered, it was this form that changed it; otherwise what it is
 * now is shown beside what was entered, and saving again is a choice made knowingly.
 */
async function sendConflict(
  gateway: Gateway,
  reply: Reply,
  { sku, fields, edit }: { readonly sku: string; readonly fields: Fields; readonly edit: Edit },
): Promise<Reply> {
  const { product, etag } = await find(gateway, reply, sku);
  if (isAs(edit, product)) return sendSaved(reply, sku);
  const theirs = fieldsOf(product);
  const complaints = new Map(
    Object.entries(theirs)
      .filter(([field, value]) => (fields[field] ?? "").trim() !== value)
      .map(([field, value]) => [field, `It is now: ${value}`] as const),
  );
  reply.code(412);
  return sendForm(reply, {
    product,
    fields: { ...fields, etag },
    complaints,
    notice:
      "Somebody else, or a sale, changed this product after you opened it. What is different isn’t saved. Look at it, and save " +
      "again to put yours in its place.",
  });
}

function fieldsOf({ name, description, price, onHand }: Stocked) {
  return {
    name,
    description,
    price: formatAmount(price),
    currency: price.currency,
    onHand: String(onHand),
  };
}

function readEdit(fields: Fields): { edit: Edit | undefined; complaints: Map<string, string> } {
  const complaints = new Map<string, string>();
  const text = (name: string) => (fields[name] ?? "").trim();
  const price = parseAmount(text("price"), text("currency"));
  if (price === undefined) {
    complaints.set(
      "price",
      "A price is an amount such as 29.00, with the currency’s three letters.",
    );
  }
  const onHand = text("onHand");
  if (!/^\d{1,9}$/.test(onHand)) complaints.set("onHand", "This is a whole number, 0 or more.");
  for (const name of ["name", "description"]) {
    if (text(name) === "") complaints.set(name, "Please fill this in.");
  }
  const edit = price && {
    name: text("name"),
    description: text("description"),
    price,
    onHand: Number(onHand),
  };
  // Whether there is such a currency is for the API to judge.
  return { edit: edit as Edit | undefined, complaints };
}

function apiComplaints(problems: readonly FieldProblem[]): [string, string][] {
  return problems.map(({ pointer, message }) => {
    const [, field = ""] = pointer.split("/");
    return [field, `This ${message}.`];
  });
}

interface Listed {
  readonly q: string | undefined;
  readonly saved: string | undefined;
}

function listPage({ items, next }: StockPage, { q, saved }: Listed): Html {
  const query = q === undefined ? "" : `q=${encodeURIComponent(q)}&`;
  return html`<div class="office-head">
      <h1>Stock</h1>
      <form class="search" role="search" action="/office/stock" method="get">
        <label class="visually-hidden" for="q">Search the stock</label>
        <input
          id="q"
          name="q"
          type="search"
          placeholder="Name, words, SKU"
          maxlength="100"
          value="${q}"
        />
        <button class="button small">Search</button>
      </form>
      <a class="button small quiet" href="/office/new-product">New product</a>
    </div>
    ${saved && html`<p class="banner good" role="status">${saved} is saved.</p>`}
    ${items.length === 0 ? html`<p>Nothing goes by that.</p>` : table(items)}
    <nav class="pages" aria-label="Pages">
      ${next === null ? undefined : html`<a class="button small" rel="next" href="/office/stock?${query}after=${next}">Show more</a>`}
    </nav>`;
}

function table(items: readonly Stocked[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Stock">
    <table>
      <thead>
        <tr>
          <th scope="col">Product</th>
          <th scope="col" class="number">Price</th>
          <th scope="col" class="number">On hand</th>
          <th scope="col" class="number">Held</th>
          <th scope="col" class="number">To sell</th>
        </tr>
      </thead>
      <tbody>
        ${items.map(
          ({ sku, name, price, onHand, held, available }) =>
            html`<tr class="${available === 0 ? "out" : ""}">
              <th scope="row">
                <a href="/office/stock/${sku}">${name}</a> <span class="fine">${sku}</span>
              </th>
              <td class="number">${formatMoney(price)}</td>
              <td class="number">${onHand}</td>
              <td class="number">${held}</td>
              <td class="number">${available}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

interface StockForm {
  /** The product as it is now; `undefined` for a new one. */
  readonly product?: Stocked | undefined;
  readonly fields: Fields;
  readonly complaints?: Complaints;
  readonly notice?: string;
}

function sendForm(reply: Reply, form: StockForm): Reply {
  const title = form.product?.name ?? "New product";
  return sendOfficePage(reply, { title, current: CURRENT, main: formPage(form) });
}

function formPage({ product, fields, complaints = new Map(), notice }: StockForm): Html {
  const text = (name: string, label: string, attributes: Html, hint?: Html) =>
    html`<div class="field">
      <label for="${name}">${label}</label>
      ${hint && html`<p class="fine" id="${name}-hint">${hint}</p>`}
      <input
        id="${name}"
        name="${name}"
        value="${fields[name]}"
        required
        ${attributes}
        ${describedBy(name, complaints, hint && `${name}-hint`)}
      />
      ${complaint(name, complaints)}
    </div>`;
  return html`<nav class="crumbs" aria-label="Breadcrumb">
      <a href="${CURRENT}">Stock</a> <span aria-hidden="true">/</span>
      <span aria-current="page">${product?.name ?? "New product"}</span>
    </nav>
    <div class="office-head">
      <h1>${product?.name ?? "New product"}</h1>
      ${product && html`<a href="/products/${product.sku}">See it in the shop</a>`}
    </div>
    ${notice && html`<div class="banner bad" role="alert" tabindex="-1" autofocus><p>${notice}</p></div>`}
    <form
      class="edit"
      method="post"
      action="${product ? `/office/stock/${product.sku}` : "/office/new-product"}"
    >
      <input type="hidden" name="etag" value="${fields["etag"]}" />
      ${product ? html`<p class="fine">Item ${product.sku}</p>` : text("sku", "SKU", html`maxlength="40"`, html`Capital letters, digits and hyphens; it can’t be changed later.`)}
      ${text("name", "Name", html`maxlength="200"`)}
      <div class="field">
        <label for="description">Description</label>
        <textarea
          id="description"
          name="description"
          rows="4"
          maxlength="2000"
          required
          ${describedBy("description", complaints)}
        >
${fields["description"]}</textarea>
        ${complaint("description", complaints)}
      </div>
      <div class="side-by-side">
        ${text("price", "Price", html`inputmode="decimal" maxlength="14"`)}
        ${text("currency", "Currency", html`maxlength="3" pattern="[A-Z]{3}"`)}
        ${text("onHand", "On hand", html`inputmode="numeric" maxlength="9"`, product && html`${product.held} of these are held for orders.`)}
      </div>
      <p>
        <button class="button">Save</button> <a class="button quiet" href="${CURRENT}">Leave it</a>
      </p>
    </form>`;
}
