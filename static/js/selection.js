// Boxes before the rows of a list: one, a range with Shift, the page; the bar of bulk actions says how many.
import { say } from "./words.js";

let last = null;

const boxes = () => [...document.querySelectorAll("[data-select-row]")];

// What matched as a whole gives way to the boxes as soon as one of them is touched.
function thaw() {
  document.querySelector("[data-frozen-slot]")?.replaceChildren();
}

/** Draw what is chosen: the rows, the box of the page, the bar of bulk actions. */
export function show() {
  const all = boxes();
  const chosen = all.filter((box) => box.checked);
  for (const box of all) box.closest("tr").classList.toggle("is-selected", box.checked);
  const page = document.querySelector("[data-select-page]");
  if (page) {
    page.checked = all.length > 0 && chosen.length === all.length;
    page.indeterminate = chosen.length > 0 && chosen.length < all.length;
  }
  const bar = document.querySelector("[data-bulk-bar]");
  if (!bar) return;
  bar.hidden = chosen.length === 0;
  bar.classList.toggle("is-frozen", !!bar.querySelector("[data-frozen]"));
  bar.querySelector("[data-bulk-count]").textContent = say("selected", chosen.length);
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-select-row]");
  if (box) {
    const all = boxes();
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && last && from >= 0) {
      for (const each of all.slice(from, to + 1)) each.checked = box.checked;
    }
    last = box;
    thaw();
    show();
  }
  if (event.target.closest("[data-bulk-clear]")) {
    for (const each of boxes()) each.checked = false;
    thaw();
    show();
  }
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-select-page]")) {
    for (const box of boxes()) box.checked = event.target.checked;
    thaw();
  }
  if (event.target.matches("[data-select-page], [data-select-row]")) show();
});
document.addEventListener("htmx:afterSettle", show);
window.addEventListener("pageshow", show);
