// Two lists beside each other in place of a select of many: what there is (asked for while one types), and what is chosen.
const words = document.querySelector("[data-dual-words]")?.dataset ?? {};

function made(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, attributes);
  node.append(...children);
  return node;
}

async function asked(address, q) {
  const answer = await fetch(`${address}?q=${encodeURIComponent(q)}`, { headers: { Accept: "application/json" } });
  return answer.ok ? (await answer.json()).choices : [];
}

function list(label) {
  return made("select", { multiple: true, className: "form-select", ariaLabel: label });
}

/** Draw two lists for a select that stays what the form sends. */
function dual(select) {
  const find = made("input", { type: "search", className: "form-control", placeholder: words.find, ariaLabel: words.find });
  const [left, right] = [list(words.available), list(words.chosen)];
  const count = made("span");
  const chosen = () => new Set([...select.options].map((option) => option.value));
  let number = 0;

  function draw() {
    const rows = [...select.options].sort((a, b) => a.text.localeCompare(b.text));
    right.replaceChildren(...rows.map((option) => made("option", { value: option.value, text: option.text })));
    count.textContent = ` (${rows.length})`;
  }

  async function look() {
    const mine = (number += 1);
    const found = await asked(select.dataset.choices, find.value);
    if (mine !== number) return;
    const taken = chosen();
    const free = found.filter((each) => !taken.has(each.value));
    left.replaceChildren(...free.map((each) => made("option", { value: each.value, text: each.text })));
  }

  function changed() {
    draw();
    look();
    select.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function add(options) {
    options.forEach((option) => select.append(made("option", { value: option.value, text: option.text, selected: true })));
    changed();
  }

  function takeOut(options) {
    const gone = new Set(options.map((option) => option.value));
    [...select.options].filter((option) => gone.has(option.value)).forEach((option) => option.remove());
    changed();
  }

  const button = (icon, label, act) => {
    const sign = made("i", { className: `fa-solid fa-${icon}`, ariaHidden: "true" });
    const one = made("button", { type: "button", className: "btn btn-quiet", title: label, ariaLabel: label }, sign);
    one.addEventListener("click", act);
    return one;
  };
  const buttons = made(
    "div",
    { className: "dual-buttons" },
    button("angle-right", words.add, () => add([...left.selectedOptions])),
    button("angle-left", words.takeOut, () => takeOut([...right.selectedOptions])),
    button("angles-right", words.addAll, async () => {
      // All that is found by the words of now, not of a moment ago.
      await look();
      add([...left.options]);
    }),
    button("angles-left", words.takeAllOut, () => takeOut([...right.options])),
  );
  left.addEventListener("dblclick", () => add([...left.selectedOptions]));
  right.addEventListener("dblclick", () => takeOut([...right.selectedOptions]));
  const pressed = (event, act) => {
    if (event.key === "Enter") {
      event.preventDefault();
      act();
    }
  };
  left.addEventListener("keydown", (event) => pressed(event, () => add([...left.selectedOptions])));
  right.addEventListener("keydown", (event) => pressed(event, () => takeOut([...right.selectedOptions])));
  find.addEventListener("keydown", (event) => pressed(event, look));
  let waiting = 0;
  find.addEventListener("input", (event) => {
    event.stopPropagation();
    clearTimeout(waiting);
    waiting = setTimeout(look, 200);
  });
  const side = (title, ...parts) => made("div", { className: "dual-side" }, made("h4", {}, ...title), ...parts);
  select.hidden = true;
  select.after(
    made("div", { className: "dual" }, side([words.available], find, left), buttons, side([words.chosen, count], right)),
  );
  draw();
  look();
}

document.querySelectorAll("select[data-enhance=dual]").forEach(dual);
