import { html, type Html } from "./html.ts";

const format = new Intl.DateTimeFormat("en-AU", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});

/** A point in time. Where the reader lives only their browser knows: a script may put it right. */
export function when(iso: string): Html {
  return html`<time datetime="${iso}">${format.format(new Date(iso))} UTC</time>`;
}
