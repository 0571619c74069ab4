// The form of work: shows the fields of the chosen kind, adds and removes rows of inputs, fills one box from a choice.

function showKind(form, kind) {
  for (const section of form.querySelectorAll("[data-kind-section]")) {
    section.hidden = !section.dataset.kindSection.split(" ").includes(kind);
  }
}

function follow(form) {
  const chosen = form.querySelector("[data-kind]:checked");
  if (chosen) showKind(form, chosen.value);
}

let number = 1000;

function addRow(box) {
  const pattern = box.querySelector("[data-rows-pattern]");
  const row = pattern.content.cloneNode(true);
  number += 1;
  for (const input of row.querySelectorAll("[name]")) input.name = input.name.replace("-__-", `-${number}-`);
  const body = box.querySelector("[data-rows-body]");
  body.append(row);
  body.lastElementChild.querySelector("[name]").focus();
}

document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-rows-add]");
  if (add) addRow(add.closest("[data-rows]"));
  const remove = event.target.closest("[data-row-remove]");
  if (!remove) return;
  const box = remove.closest("[data-rows]");
  remove.closest("[data-row]").remove();
  if (!box.querySelector("[data-rows-body] [data-row]")) addRow(box);
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-work-form]");
  if (form && event.target.matches("[data-kind]")) follow(form);
  const fill = event.target.closest("[data-fill]");
  if (!fill || !fill.value) return;
  const target = document.querySelector(fill.dataset.fill);
  target.value = fill.value;
  fill.value = "";
  target.dispatchEvent(new Event("change", { bubbles: true }));
});

document.querySelectorAll("[data-work-form]").forEach(follow);
// Back in the browser brings another choice than the page was drawn with.
window.addEventListener("pageshow", () => document.querySelectorAll("[data-work-form]").forEach(follow));
