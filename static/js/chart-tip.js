// The box beside the cursor: the moment, each line's value, and what happened there; over a mark lies a link that leads to it.
import { format, moment } from "./chart-format.js";
import { colorName } from "./chart-plot.js";

const NEAR = 5;
const tip = document.createElement("div");
tip.className = "chart-tip";
tip.hidden = true;
document.body.append(tip);

function add(name, text) {
  const part = tip.appendChild(document.createElement("span"));
  part.className = name;
  part.textContent = text;
  return part;
}

function marksAt({ chart, plot }) {
  const near = (mark) => Math.abs(plot.valToPos(mark.time / 1000, "x") - plot.cursor.left);
  return (chart.marks ?? []).filter((mark) => near(mark) <= NEAR).sort((a, b) => near(a) - near(b));
}

/** Make the link that lies over the mark under the cursor. */
export function makeMarkLink(plot) {
  const link = plot.over.appendChild(document.createElement("a"));
  link.className = "chart-mark";
  link.hidden = true;
  link.tabIndex = -1;
  link.draggable = false;
  let downAt = 0;
  plot.over.addEventListener("mousedown", (event) => { downAt = event.clientX; });
  link.addEventListener("click", (event) => { if (event.detail && Math.abs(event.clientX - downAt) > NEAR) event.preventDefault(); });
  return link;
}

function place({ plot }) {
  const { left, top, width } = plot.over.getBoundingClientRect();
  const beside = plot.cursor.left > width / 2 ? plot.cursor.left - tip.offsetWidth - 12 : plot.cursor.left + 12;
  const inside = (at, size, whole) => Math.max(4, Math.min(at, whole - size - 4));
  tip.style.left = `${inside(left + beside, tip.offsetWidth, innerWidth)}px`;
  tip.style.top = `${inside(top, tip.offsetHeight, innerHeight)}px`;
}

function fill({ chart, plot, shape }, marks) {
  tip.replaceChildren();
  add("when", moment(shape.data[0][plot.cursor.idx]));
  for (const mark of marks) add("happened", mark.title);
  for (const [number, { name, average, low, high, column }] of shape.lines) {
    const at = plot.cursor.idxs[column];
    add("dot", "").style.background = `var(${colorName(number)})`;
    add("name", name);
    const band = low && low[at] != null ? ` (${format(low[at], chart.unit)} - ${format(high[at], chart.unit)})` : "";
    add("value", format(average[at], chart.unit) + band);
  }
}

/** Show the box for the chart {chart, plot, shape, link, isPointed, byKey} that the cursor is over, or take it away. */
export function tellTip(view) {
  const { plot, link } = view;
  if (!view.isPointed) return;
  tip.hidden = plot.cursor.idx == null;
  link.hidden = true;
  if (tip.hidden) return;
  const marks = marksAt(view);
  // Who walks with keys hears the values.
  tip.setAttribute("aria-live", view.byKey ? "polite" : "off");
  fill(view, marks);
  place(view);
  if (!marks.length) return;
  link.hidden = false;
  link.href = marks[0].url;
  link.setAttribute("aria-label", marks[0].title);
  link.style.left = `${plot.valToPos(marks[0].time / 1000, "x") - NEAR}px`;
}

/** Take the box away: the cursor has left. */
export const hideTip = (view) => {
  tip.hidden = true;
  if (view.link) view.link.hidden = true;
};
