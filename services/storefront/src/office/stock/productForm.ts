import type { Reply } from "@store/kit";
import { errorAttributes, errorText, type FieldErrors } from "../../html/fieldErrors.ts";
import { html, type Html } from "../../html/html.ts";
import type { Fields } from "../../http/forms.ts";
import { sendOfficePage } from "../layout.ts";
import { changesSection, type ProductChange } from "./productChanges.ts";
import type { StockedProduct } from "./productEdit.ts";

interface ProductForm {
  /** The current product; `undefined` for a new one. */
  readonly product?: StockedProduct | undefined;
  /** Values of the form, including the product's ETag. */
  readonly fields: Fields;
  readonly errors?: FieldErrors;
  /** Latest changes of the product by staff. Defaults to none. */
  readonly changes?: readonly ProductChange[];
  /** Error message at the top of the page. */
  readonly notice?: string;
}

/** Sends the page that edits or creates a product. */
export function sendProductForm(reply: Reply, form: ProductForm): Reply {
  const title = form.product?.name ?? "New product";
  return sendOfficePage(reply, {
    title,
    current: "/office/stock",
    main: productFormPage(title, form),
  });
}

function productFormPage(title: string, form: ProductForm): Html {
  const { product, fields, notice } = form;
  return html`<nav class="crumbs" aria-label="Breadcrumb">
      <a href="/office/stock">Stock</a> <span aria-hidden="true">/</span>
      <span aria-current="page">${title}</span>
    </nav>
    <div class="office-head">
      <h1>${title}</h1>
      ${product && html`<a href="/products/${product.sku}">View in shop</a>`}
    </div>
    ${notice && html`<div class="banner bad" role="alert" tabindex="-1" autofocus><p>${notice}</p></div>`}
    <form
      class="edit"
      method="post"
      action="${product ? `/office/stock/${product.sku}` : "/office/new-product"}"
    >
      <input type="hidden" name="etag" value="${fields["etag"]}" />
      <input type="hidden" name="unpacked" value="${fields["unpacked"]}" />
      ${
        product
          ? html`<p class="fine">SKU: ${product.sku}</p>`
          : textField(form, {
              name: "sku",
              label: "SKU",
              attributes: html`maxlength="40"`,
              hint: "Capital letters, digits and hyphens. It can’t be changed later.",
            })
      }
      ${textField(form, { name: "name", label: "Name", attributes: html`maxlength="200"` })}
      ${descriptionField(form)}
      <div class="side-by-side">
        ${textField(form, {
          name: "price",
          label: "Price",
          attributes: html`inputmode="decimal" maxlength="14"`,
        })}
        ${textField(form, {
          name: "currency",
          label: "Currency",
          attributes: html`maxlength="3" pattern="[A-Z]{3}"`,
        })}
        ${textField(form, {
          name: "onHand",
          label: "On the shelf",
          attributes: html`inputmode="numeric" maxlength="9"`,
          hint: product && shelfHint(product, fields["unpacked"]),
        })}
      </div>
      <p>
        <button class="button">Save</button>
        <a class="button quiet" href="/office/stock">Cancel</a>
      </p>
    </form>
    ${form.changes && changesSection(form.changes)}`;
}

/** @param unpacked Quantity that is sold and not packed yet; empty if it is unknown. */
function shelfHint({ held }: StockedProduct, unpacked: string | undefined): string {
  const reserved = `With ${held} reserved for orders`;
  return unpacked === undefined || unpacked === ""
    ? `${reserved}. Leave out what is sold and not packed yet: its number is unknown right now.`
    : `${reserved} and ${unpacked} sold and not packed yet. Include parcels that aren’t marked as shipped.`;
}

interface TextField {
  readonly name: string;
  readonly label: string;
  readonly attributes: Html;
  readonly hint?: string | undefined;
}

function textField({ fields, errors = new Map() }: ProductForm, field: TextField): Html {
  const { name, label, attributes, hint } = field;
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint && html`<p class="fine" id="${name}-hint">${hint}</p>`}
    <input
      id="${name}"
      name="${name}"
      value="${fields[name]}"
      required
      ${attributes}
      ${errorAttributes(name, errors, hint && `${name}-hint`)}
    />
    ${errorText(name, errors)}
  </div>`;
}

function descriptionField({ fields, errors = new Map() }: ProductForm): Html {
  return html`<div class="field">
    <label for="description">Description</label>
    <textarea
      id="description"
      name="description"
      rows="4"
      maxlength="2000"
      required
      ${errorAttributes("description", errors)}
    >
${fields["description"]}</textarea>
    ${errorText("description", errors)}
  </div>`;
}
