// The form of a task module: fields that are asked only with certain answers [data-shown-when], choices that go with
// another answer [data-depends-on data-cases]. The server decides by the same rules; without scripts all is shown.

/** Give the answer of the controls of a name, as a definition writes it. */
function answerOf(root, name) {
  const controls = [...root.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
  const first = controls[0];
  if (!first) return "";
  if (first.type === "radio") return controls.find((one) => one.checked)?.value ?? "";
  return first.type === "checkbox" ? String(first.checked) : first.value;
}

function isHidden(root, name) {
  const control = root.querySelector(`[name="${CSS.escape(name)}"]`);
  return Boolean(control?.closest(".field")?.hidden);
}

function show(root, control) {
  const wanted = Object.entries(JSON.parse(control.dataset.shownWhen));
  // What depends on a question that is not asked is not asked either.
  const shown = wanted.every(([name, values]) => values.includes(isHidden(root, name) ? "" : answerOf(root, name)));
  control.closest(".field").hidden = !shown;
}

const allOptions = new WeakMap();

function offer(root, control) {
  const known = JSON.parse(control.dataset.cases)[answerOf(root, control.dataset.dependsOn)] ?? [];
  if (control.tagName !== "SELECT") {
    const fits = known.includes(control.value);
    control.closest("div").hidden = !fits;
    if (!fits) control.checked = false;
    return;
  }
  if (!allOptions.has(control)) allOptions.set(control, [...control.options]);
  const chosen = new Set([...control.selectedOptions].map((option) => option.value));
  control.replaceChildren(...allOptions.get(control).filter((option) => !option.value || known.includes(option.value)));
  for (const option of control.options) option.selected = chosen.has(option.value);
}

function follow(root) {
  // In the order of the page: a field depends only on those before it.
  for (const control of root.querySelectorAll("[data-depends-on], [data-shown-when]")) {
    if (control.dataset.dependsOn) offer(root, control);
    if (control.dataset.shownWhen) show(root, control);
  }
}

function begin(place) {
  const roots = place.matches?.("[data-module-form]") ? [place] : place.querySelectorAll("[data-module-form]");
  roots.forEach(follow);
}

document.addEventListener("change", (event) => {
  const root = event.target.closest?.("[data-module-form]");
  if (root) follow(root);
});
begin(document);
document.addEventListener("htmx:load", (event) => begin(event.detail.elt));
