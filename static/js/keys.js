// Keys: / filter, j k rows, x select, Enter open, e edit, ? help. Quiet while somebody types or a dialog is open.

const rows = () => [...document.querySelectorAll("[data-row]")];

function move(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.indexOf(document.activeElement?.closest("[data-row]"));
  const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const current = () => document.activeElement?.closest("[data-row]");

const actions = {
  "/": () => document.querySelector("[data-quick-filter]"),
  j: () => move(1),
  k: () => move(-1),
  x: () => current()?.querySelector("[data-select-row]")?.click(),
  e: () => (current() || document).querySelector("[data-edit]")?.click(),
  Enter: () => document.activeElement?.matches("[data-row]") && current().querySelector("td.first a")?.click(),
  "?": () => window.bootstrap?.Modal.getOrCreateInstance("#keys").show(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in actions)) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], .modal.show, .xterm")) return;
  if (event.key === "Enter" && !event.target.matches("[data-row]")) return;
  const found = actions[event.key]();
  if (event.key === "/" && found) {
    found.focus();
    found.select();
  }
  event.preventDefault();
});
