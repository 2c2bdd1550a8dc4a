import { html, type Html } from "./html.ts";

const format = new Intl.DateTimeFormat("en-AU", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});

/** A date and time in UTC. Only the browser knows the reader's time zone, so a script may replace the text. */
export function formatTime(iso: string): Html {
  return html`<time datetime="${iso}">${format.format(new Date(iso))} UTC</time>`;
}
