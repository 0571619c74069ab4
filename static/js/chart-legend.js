// The legend of a chart: each line with its value under the cursor, else its newest; a click hides a line and shows it again.
import { newest } from "./chart-data.js";
import { format } from "./chart-format.js";
import { isLate } from "./chart-notes.js";
import { colorName } from "./chart-plot.js";

function item(name, line) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.line = name;
  const dot = button.appendChild(document.createElement("i"));
  dot.style.background = `var(${colorName(line)})`;
  button.append(name);
  button.append(document.createElement("b"));
  return button;
}

/** Write the lines of a view {chart, hidden, legend} into its legend; `toggle(name)` is told of a click. */
export function fillLegend(view, toggle) {
  const names = view.chart.series.map((line) => line.name);
  const old = [...view.legend.children].map((each) => each.dataset.line);
  if (names.join("\n") !== old.join("\n")) {
    view.legend.replaceChildren(...names.map(item));
    // One stop for the tab key; arrows go from line to line.
    [...view.legend.children].forEach((each, i) => { each.tabIndex = i ? -1 : 0; });
  }
  for (const each of view.legend.children) each.setAttribute("aria-pressed", String(!view.hidden.has(each.dataset.line)));
  view.legend.onclick = ({ target }) => {
    const button = target.closest("[data-line]");
    if (button) toggle(button.dataset.line);
  };
  view.legend.onkeydown = (event) => {
    const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
    const next = step && event.target[step];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
}

/** Say the values under the cursor; without one the newest, where they are of now. */
export function tellValues(view) {
  const { chart, plot, shape, legend } = view;
  const isOn = plot?.cursor.idx != null;
  const now = isOn ? 0 : newest([chart]);
  const isFresh = now && !isLate(chart, now);
  chart.series.forEach(({ average }, i) => {
    const line = shape.lines.get(i);
    const value = isOn ? line?.average[plot.cursor.idxs[line.column]] : isFresh ? average.findLast((each) => each !== null) : undefined;
    legend.children[i].lastChild.textContent = value === undefined ? "" : format(value, chart.unit);
  });
}
