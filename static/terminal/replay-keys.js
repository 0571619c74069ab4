// The keys of a replay. Where somebody types or chooses something they are that field's; a space on a button presses that button.

const FIELDS = "input:not([type=range], [type=checkbox]), select, textarea, [contenteditable]";
const PRESSED = "button, a, summary, [type=checkbox]";

/** Have `acts` (key -> what it does) done wherever the page has the focus; `screen` takes no input of its own. */
export function listen(screen, acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
    const { target } = event;
    if (target.matches(FIELDS) && !screen.contains(target)) return;
    if (event.key === " " && target.closest(PRESSED)) return;
    event.preventDefault();
    acts[event.key]();
  });
}
