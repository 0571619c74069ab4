// The range of a whole page: a stretch that is zoomed to goes into the address, and what hangs on the range is asked anew.
// The page says what does: each [data-range-part] (with an id), and the addresses of its charts.

const LEAST_SECONDS = 60;
let shown = window.location.search;
let asked = 0;
let isTold = false;

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

/** Put the parts of the answered page into this one, and give its charts their new addresses. */
function take(page) {
  for (const part of document.querySelectorAll("[data-range-part]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh) continue;
    part.replaceWith(fresh);
    window.htmx?.process(fresh);
    fresh.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: fresh } }));
  }
  for (const chart of document.querySelectorAll("[data-chart]")) {
    const fresh = page.getElementById(chart.id);
    if (!fresh) continue;
    chart.dataset.url = fresh.dataset.url;
    if (fresh.dataset.refresh) chart.dataset.refresh = fresh.dataset.refresh;
    else delete chart.dataset.refresh;
  }
  tell("adminset:range");
}

async function show() {
  asked += 1;
  const mine = asked;
  shown = window.location.search;
  try {
    const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine === asked) take(page);
  } catch {
    window.location.reload();
  }
}

function go(address) {
  window.history.pushState({ before: window.history.state?.before ?? window.location.href }, "", address);
  show();
}

/** Zoom every chart of the page to a stretch (Unix seconds); a final one goes into the address, and finer points come. */
export function zoomTo(from, to, { final = true } = {}) {
  const now = Date.now() / 1000;
  const end = Math.min(to, now);
  const start = Math.min(from, end - LEAST_SECONDS);
  tell("adminset:zoom", [start, end]);
  // Charts of a group all tell of the stretch that was drawn on one of them.
  if (!final || isTold) return;
  isTold = true;
  setTimeout(() => { isTold = false; });
  const address = new URL(window.location.href);
  for (const name of ["range", "page"]) address.searchParams.delete(name);
  address.searchParams.set("from", Math.floor(start));
  address.searchParams.set("to", Math.ceil(end));
  if (address.href !== window.location.href) go(address);
}

/** Go back to the range that the page had before it was zoomed. */
export function goBack() {
  const { before } = window.history.state ?? {};
  const address = new URL(before ?? window.location.href);
  if (!before) ["from", "to"].forEach((name) => address.searchParams.delete(name));
  if (address.href === window.location.href) return;
  window.history.pushState(null, "", address);
  show();
}

window.addEventListener("popstate", () => { if (window.location.search !== shown) show(); });
