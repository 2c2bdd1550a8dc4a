// Polls the order's page and shows its new status without a reload. Browsers without JavaScript use the page's meta refresh.
"use strict";

const FIRST_DELAY = 1_000;
const MAX_DELAY = 10_000;
let delay = FIRST_DELAY;
let timer;

localiseTimes(document);
schedule();
document.addEventListener("visibilitychange", () => {
  // A hidden page doesn't poll; a page that becomes visible again polls soon.
  if (!document.hidden) {
    delay = FIRST_DELAY;
    schedule();
  }
});

function schedule() {
  clearTimeout(timer);
  if (document.hidden || orderElement().hasAttribute("data-final")) return;
  timer = setTimeout(poll, delay);
  delay = Math.min(delay * 1.3, MAX_DELAY);
}

async function poll() {
  try {
    const response = await fetch(location.pathname, {
      headers: { accept: "text/html" },
      signal: AbortSignal.timeout(10_000),
    });
    if (response.ok) show(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // The shop can't be reached: try again at the next poll.
  }
  schedule();
}

function show(page) {
  const updated = page.getElementById("order");
  const shown = orderElement();
  if (updated === null || updated.dataset.status === shown.dataset.status) return;
  localiseTimes(updated);
  const hadFocus = shown.contains(document.activeElement);
  shown.replaceWith(updated);
  document.title = page.title;
  const heading = updated.querySelector("h1");
  document.getElementById("announcement").textContent = heading.textContent;
  if (hadFocus) heading.focus();
  delay = FIRST_DELAY;
}

function orderElement() {
  return document.getElementById("order");
}

/** Replaces the times of the server, which are in UTC, by the reader's local time. */
function localiseTimes(root) {
  const format = new Intl.DateTimeFormat("en-AU", { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time"))
    time.textContent = format.format(new Date(time.dateTime));
}
