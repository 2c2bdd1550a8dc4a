import { html, type Html } from "./html.ts";

/** What is wrong with a form, by the name of the field that it is about. */
export type Complaints = ReadonlyMap<string, string>;

/** Attributes of a field that tie what is wrong with it, and its hint, to it. */
export function describedBy(name: string, complaints: Complaints, hint?: string): Html | undefined {
  const wrong = complaints.has(name);
  const ids = [...(hint ? [hint] : []), ...(wrong ? [`${name}-error`] : [])];
  return html`${wrong ? html`aria-invalid="true"` : undefined}
  ${ids.length > 0 ? html`aria-describedby="${ids.join(" ")}"` : undefined}`;
}

/** What is wrong with a field, to stand beside it. */
export function complaint(name: string, complaints: Complaints): Html | undefined {
  const text = complaints.get(name);
  return text === undefined ? undefined : html`<p class="error" id="${name}-error">${text}</p>`;
}
