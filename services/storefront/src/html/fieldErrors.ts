import { html, type Html } from "./html.ts";

/** Error messages of a form, by the name of the field. */
export type FieldErrors = ReadonlyMap<string, string>;

/** Attributes that link a field to its error message and its hint, for screen readers. */
export function errorAttributes(name: string, errors: FieldErrors, hintId?: string): Html {
  const isInvalid = errors.has(name);
  const ids = [...(hintId ? [hintId] : []), ...(isInvalid ? [`${name}-error`] : [])];
  return html`${isInvalid ? html`aria-invalid="true"` : undefined}
  ${ids.length > 0 ? html`aria-describedby="${ids.join(" ")}"` : undefined}`;
}

/** The error message below a field; `undefined` if the field is valid. */
export function errorText(name: string, errors: FieldErrors): Html | undefined {
  const text = errors.get(name);
  return text === undefined ? undefined : html`<p class="error" id="${name}-error">${text}</p>`;
}
