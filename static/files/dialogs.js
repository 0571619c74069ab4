// Asks a person: yes or no, or for a value. The answer is null where nothing was decided.
const dialog = document.querySelector("[data-ask-dialog]");

const part = (name) => dialog.querySelector(`[data-${name}]`);

/** Ask with a title; with `value` (also "") for a text, without it for a yes. `danger` paints the button. */
export function ask({ title, text = "", label = "", value = null, go, danger = false }) {
  part("title").textContent = title;
  part("text").textContent = text;
  part("label").textContent = label;
  part("yes").textContent = go;
  part("yes").className = `btn ${danger ? "btn-danger" : "btn-primary"}`;
  part("field").hidden = value === null;
  const box = part("value");
  box.required = value !== null;
  box.value = value ?? "";
  dialog.returnValue = "";
  dialog.showModal();
  if (value !== null) {
    box.focus();
    box.select();
  } else part("yes").focus();
  return new Promise((answered) => {
    dialog.addEventListener("close", () => {
      const yes = dialog.returnValue === "yes";
      answered(yes ? (value === null ? true : box.value) : null);
    }, { once: true });
  });
}
