// The browser of a host's files [data-host-files]: goes from folder to folder, searches, sorts, and hands acts and uploads on.
import { Acts } from "./acts.js";
import { typed, written } from "./calls.js";
import { listen, show } from "./details.js";
import { ask } from "./dialogs.js";
import { dropped, picked } from "./chosen.js";
import { Uploads } from "./uploads.js";
import { say } from "./words.js";

const root = document.querySelector("[data-host-files]");
const rows = document.getElementById("files-rows");
const { here } = root.dataset;
const tools = () => rows.querySelector("[data-folder]");
const folder = () => tools()?.dataset.folder ?? "";
const pathOfPage = () => (window.location.search.match(/[?&]path=([^&]*)/) || ["", ""])[1];

/** Draw a folder; `q` and `order` narrow and sort it. */
function draw(path, { q = "", order = "name", event = null } = {}) {
  const query = `path=${path}&q=${encodeURIComponent(q)}&order=${order}`;
  return window.htmx.ajax("GET", `${here}rows/?${query}`, { source: rows, target: rows, event });
}

function go(path, event) {
  window.history.pushState({}, "", path ? `${here}?path=${path}` : here);
  return draw(path, { event });
}

const needle = () => rows.querySelector("[data-search]")?.elements.q.value;
const again = (event = null) => draw(folder() || pathOfPage(), { q: needle(), order: tools()?.dataset.orderNow, event });
const sort = (order, event) => draw(folder(), { q: needle(), order, event });

const acts = new Acts(here, again);
let soon = 0;
// Of many that come one after the other the folder is read again once.
function placed(where) {
  clearTimeout(soon);
  soon = setTimeout(() => where === folder() && again(), 400);
}
const uploads = document.querySelector("[data-uploads]") && new Uploads(here, root.dataset.worker, placed);
listen(acts);

async function goTo(event) {
  const path = await ask({ title: say("goTo"), text: say("goToText"), label: say("goTo"), value: typed(folder()) || "/", go: say("goTo") });
  if (path) go(written(path), event);
}

const chosenRows = () => [...rows.querySelectorAll("[data-select-row]:checked")].map((box) => box.closest("[data-row]"));

rows.addEventListener("click", (event) => {
  const find = (name) => event.target.closest(`[data-${name}]`);
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  const leads = find("go");
  if (leads && plain) {
    event.preventDefault();
    go(leads.dataset.go, event);
  } else if (find("order")) {
    event.preventDefault();
    sort(find("order").dataset.order, event);
  } else if (find("more")) show(find("row"), "inWaste" in tools().dataset);
  else if (find("go-to")) goTo(event);
  else if (find("reload")) again(event);
  else if (find("chosen")) {
    const button = find("chosen");
    const chosen = chosenRows();
    if (chosen.length) acts[button.dataset.chosen](chosen, button.dataset.url);
  }
});

rows.addEventListener("change", (event) => {
  if (event.target.matches("[data-order-choice]")) sort(event.target.value, event);
});

rows.addEventListener("submit", (event) => {
  event.preventDefault();
  draw(folder(), { q: event.target.elements.q.value, order: tools().dataset.orderNow, event });
});

document.querySelector("[data-act=folder]")?.addEventListener("click", () => folder() && acts.folder(folder()));
for (const button of document.querySelectorAll("[data-pick]")) {
  const input = root.querySelector(`[data-input=${button.dataset.pick}]`);
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    uploads.add(folder(), picked(input.files));
    input.value = "";
  });
}

// What is dragged over the page falls into the folder that is shown.
const veil = root.querySelector("[data-drop-here]");
const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
if (veil) {
  let depth = 0;
  const veiled = (by) => {
    depth = Math.max(0, depth + by);
    veil.hidden = !depth;
  };
  document.addEventListener("dragenter", (event) => holdsFiles(event) && veiled(1));
  document.addEventListener("dragleave", (event) => holdsFiles(event) && veiled(-1));
  document.addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  document.addEventListener("drop", async (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    veiled(0);
    const where = folder();
    if (where) uploads.add(where, await dropped(event.dataTransfer));
  });
}

document.addEventListener("keydown", (event) => {
  const types = event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
  if (event.key === "u" && !types && !event.ctrlKey && !event.metaKey && !event.altKey) rows.querySelector("[data-up]")?.click();
});

window.addEventListener("popstate", () => draw(pathOfPage()));
