// Keeps an order's page as it would be if it were loaded again. Without this script the page does so by itself, less smoothly.
"use strict";

const first = 1_000;
const slowest = 10_000;
let pause = first;
let timer;

localiseTimes(document);
schedule();
document.addEventListener("visibilitychange", () => {
  // Nobody waits for a page that isn't seen; who comes back wants to know at once.
  if (!document.hidden) {
    pause = first;
    schedule();
  }
});

function schedule() {
  clearTimeout(timer);
  if (document.hidden || current().hasAttribute("data-over")) return;
  timer = setTimeout(look, pause);
  pause = Math.min(pause * 1.3, slowest);
}

async function look() {
  try {
    const response = await fetch(location.pathname, {
      headers: { accept: "text/html" },
      signal: AbortSignal.timeout(10_000),
    });
    if (response.ok) show(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // The shop can't be reached just now: the next look may find it.
  }
  schedule();
}

function show(page) {
  const fresh = page.getElementById("order");
  const shown = current();
  if (fresh === null || fresh.dataset.status === shown.dataset.status) return;
  localiseTimes(fresh);
  const hadFocus = shown.contains(document.activeElement);
  shown.replaceWith(fresh);
  document.title = page.title;
  const heading = fresh.querySelector("h1");
  document.getElementById("announcement").textContent = heading.textContent;
  if (hadFocus) heading.focus();
  pause = first;
}

function current() {
  return document.getElementById("order");
}

function localiseTimes(root) {
  const format = new Intl.DateTimeFormat("en-AU", { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time"))
    time.textContent = format.format(new Date(time.dateTime));
}
