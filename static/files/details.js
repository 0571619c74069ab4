// The dialog of one name [data-more-dialog]: what is known of it, and what can be done with it.
const dialog = document.querySelector("[data-more-dialog]");
let row = null;

/** Open it for a row of the table. */
export function show(chosen, inWaste) {
  row = chosen;
  const { dataset } = row;
  for (const each of dialog.querySelectorAll("[data-show]")) each.textContent = dataset[each.dataset.show] ?? "";
  const fits = new Set([dataset.kind, inWaste ? "inside" : "outside"]);
  for (const each of dialog.querySelectorAll("[data-only]")) each.hidden = !each.dataset.only.split(" ").some((word) => fits.has(word));
  for (const link of dialog.querySelectorAll("[data-link]")) link.href = `${link.dataset.link}?path=${dataset.path}`;
  dialog.showModal();
}

/** Let its buttons act; a hash stays in the dialog, all else closes it first. */
export function listen(acts) {
  dialog?.addEventListener("click", async (event) => {
    const name = event.target.closest("[data-do]")?.dataset.do;
    if (!name) return;
    if (name !== "hash") {
      dialog.close();
      acts[name]([row]);
      return;
    }
    const asked = row;
    const found = await acts.hash([asked]);
    if (!found || asked !== row) return;
    dialog.querySelector("[data-show=sha256]").textContent = found.sha256;
    dialog.querySelector("[data-only=hash]").hidden = false;
  });
}
