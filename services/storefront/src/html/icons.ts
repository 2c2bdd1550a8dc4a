import { html } from "./html.ts";

export const searchIcon = html`<svg
  viewBox="0 0 24 24"
  width="20"
  height="20"
  aria-hidden="true"
  class="icon"
>
  <circle cx="11" cy="11" r="6.5" />
  <path d="m16 16 4.5 4.5" />
</svg>`;

export const basketIcon = html`<svg
  viewBox="0 0 24 24"
  width="22"
  height="22"
  aria-hidden="true"
  class="icon"
>
  <path d="M3.5 10h17l-1.6 8.5a2 2 0 0 1-2 1.5H7.1a2 2 0 0 1-2-1.5z" />
  <path d="m8 10 3-6M16 10l-3-6" />
</svg>`;
