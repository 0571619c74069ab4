// Small parts of lists: the order of columns, the answer that a filter's question needs, all that matches as a selection.

// As many names as one answer has at most (adminset/crud/choices.py).
const FULL = 30;

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-column-up]")?.closest("[data-column]");
  const above = row?.previousElementSibling;
  if (above?.matches("[data-column]")) {
    above.before(row);
    row.querySelector("[data-column-up]").focus();
  }
});

// "is empty" needs no answer, "older than" one in days.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-lookup]")) return;
  const answer = event.target.form.querySelector("[data-answer]");
  const lookup = event.target.value;
  answer.disabled = lookup === "empty" || lookup === "filled";
  if (answer.matches("[data-days]")) answer.type = lookup === "older" || lookup === "newer" ? "number" : "date";
});

// Names of related objects, as one types. A name that is none of them may be taken all the same: a note says that it is none.
async function suggest(event) {
  const address = event.target.dataset?.names;
  if (!address) return;
  const asked = event.target.value;
  const answer = await fetch(`${address}?q=${encodeURIComponent(asked)}`, { headers: { Accept: "application/json" } });
  if (!answer.ok || event.target.value !== asked) return;
  const options = (await answer.json()).choices.map(({ text }) => {
    const option = document.createElement("option");
    option.value = text;
    return option;
  });
  event.target.list.replaceChildren(...options);
  const note = event.target.parentElement.querySelector("[data-unknown-name]");
  // A full answer may leave out the very name.
  const isKnown = !asked.trim() || options.length >= FULL || options.some(({ value }) => value === asked.trim());
  if (note) note.hidden = isKnown;
}
document.addEventListener("input", suggest);
document.addEventListener("focusin", suggest);

// A further filter joins the address of now: the list may have been narrowed since the control was drawn.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-set-filter]")) return;
  event.preventDefault();
  const address = new URLSearchParams(window.location.search);
  const sent = new FormData(event.target);
  for (const name of ["page", "add", "lookup", "value"]) address.delete(name);
  for (const name of ["add", "lookup", "value"]) if (sent.has(name)) address.set(name, sent.get(name));
  window.location.search = address;
});
