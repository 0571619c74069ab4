// Ctrl-K: the search over everything, in a dialog; arrows walk the results, Enter opens.

const dialog = document.getElementById("palette");

if (dialog) {
  const input = dialog.querySelector("[name=q]");
  const entries = () => [...dialog.querySelectorAll(".search-entry")];

  const open = (text = "") => {
    window.bootstrap.Modal.getOrCreateInstance(dialog).show();
    input.value = text;
    window.htmx.trigger(input, "open");
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });

  // Typing into the header's box goes on in the dialog; without scripts the box sends its form.
  for (const form of document.querySelectorAll("[data-palette-open]")) {
    form.elements.q.addEventListener("click", () => open());
    form.elements.q.addEventListener("input", (event) => {
      open(event.target.value);
      event.target.value = "";
    });
  }

  dialog.addEventListener("shown.bs.modal", () => input.focus());
  dialog.addEventListener("keydown", (event) => {
    const all = entries();
    const now = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && all.length) all[Math.min(now + 1, all.length - 1)].focus();
    else if (event.key === "ArrowUp" && now >= 0) (all[now - 1] || input).focus();
    else if (event.key === "Enter" && document.activeElement === input && all.length) all[0].click();
    else return;
    event.preventDefault();
  });
}
