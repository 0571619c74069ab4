// A list of what goes on reads itself again ([data-list-watch]): rows stay the elements they are, so that boxes, focus, menus and scroll stay too.
import { show } from "./selection.js";

const REACHED = "a, button, input, select";

function fill(cell, fresh) {
  if (cell.isEqualNode(fresh)) return;
  const held = [...cell.querySelectorAll(REACHED)].indexOf(document.activeElement);
  cell.className = fresh.className;
  cell.replaceChildren(...fresh.childNodes);
  cell.querySelectorAll(REACHED)[held]?.focus({ preventScroll: true });
  window.htmx.trigger(cell, "htmx:load");
}

// The box before a row is the reader's.
function update(row, fresh) {
  if (row.cells.length !== fresh.cells.length) row.replaceChildren(...fresh.cells);
  else [...row.cells].forEach((cell, at) => cell.matches(".select") || fill(cell, fresh.cells[at]));
}

/** Make the rows of a table those of a fresh one, in its order; gives whether any came or went. */
function merge(body, fresh) {
  const there = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const wanted = new Set([...fresh.rows].map((row) => row.dataset.key));
  const gone = [...body.rows].filter((row) => !wanted.has(row.dataset.key));
  gone.forEach((row) => row.remove());
  let came = 0;
  [...fresh.rows].forEach((row, at) => {
    const own = there.get(row.dataset.key);
    if (own) update(own, row);
    else came += 1;
    const placed = own ?? row;
    if (body.rows[at] !== placed) body.insertBefore(placed, body.rows[at] ?? null);
    if (!own) window.htmx.trigger(placed, "htmx:load");
  });
  return came + gone.length > 0;
}

function swap(list, fresh, part) {
  const [old, next] = [list.querySelector(part), fresh.querySelector(part)];
  if (!old || !next || old.isEqualNode(next) || old.contains(document.activeElement)) return;
  old.replaceWith(next);
  window.htmx.process(next);
}

// Where the last row went, or the first came, there is nothing to keep.
function become(list, fresh) {
  if (!fresh) return;
  list.replaceWith(fresh);
  window.htmx.process(fresh);
}

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.elt.matches("[data-list-watch]") || !detail.successful) return;
  const list = detail.elt.closest("#list");
  if (!list) return;
  const fresh = new DOMParser().parseFromString(detail.xhr.responseText, "text/html");
  const [body, next] = [list, fresh].map((root) => root.querySelector("tbody"));
  if (!fresh.querySelector("[data-list-watch]")) detail.elt.remove();
  if (!body || !next) return become(list, fresh.querySelector("#list"));
  if (!merge(body, next)) return;
  for (const part of ["[data-list-count]", ".table-foot"]) swap(list, fresh, part);
  show();
});
