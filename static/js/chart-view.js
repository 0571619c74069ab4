// One chart on a page: its legend, its plot, its note; drawn from what its source has.
import { cursorOf, listenToKeys, listenToPlot, takeSelection } from "./chart-gestures.js";
import { layout } from "./chart-layout.js";
import { fillLegend, tellValues } from "./chart-legend.js";
import { tellCoverage, tellState } from "./chart-notes.js";
import { makePlot } from "./chart-plot.js";
import { makeMarkLink, tellTip } from "./chart-tip.js";

// Element id -> what is drawn: {chart, plot, shape}. For tests and for the curious.
window.adminsetCharts = new Map();

function part(element, name, role) {
  const made = element.appendChild(document.createElement("div"));
  made.className = name;
  made.setAttribute("role", role);
  if (role !== "status") made.setAttribute("aria-label", element.getAttribute("aria-label"));
  return made;
}

/** Make the view of an element [data-chart]; nothing is drawn yet: what it has is stale. */
export function makeView(element, source) {
  element.textContent = "";
  const view = {
    element, legend: part(element, "chart-legend", "group"), box: part(element, "chart-box", "img"), note: part(element, "chart-note", "status"),
    source, stale: true, visible: false, chart: null, shape: null, plot: null, link: null, window: [0, 1], hidden: new Set(), key: "",
  };
  view.box.tabIndex = 0;
  listenToKeys(view);
  new ResizeObserver(() => view.plot?.setSize({ width: view.box.clientWidth, height: view.box.clientHeight })).observe(view.box);
  return view;
}

function tell(view) {
  if (!view.plot || !view.visible) return;
  tellValues(view);
  tellTip(view);
}

/** Make the plot anew where it has other lines than before; else give it what came, and its cursor stays. */
function plot(view) {
  const key = JSON.stringify(view.shape.parts);
  if (view.plot && key === view.key) {
    view.plot.batch(() => {
      view.plot.setData(view.shape.data, false);
      zoom(view, view.window);
    });
    return;
  }
  view.plot?.destroy();
  view.key = key;
  view.plot = makePlot(view, cursorOf(view), { setSelect: [takeSelection], setCursor: [() => tell(view)] });
  view.link = makeMarkLink(view.plot);
  listenToPlot(view);
}

/** Show a stretch of what is there. */
export function zoom(view, [from, to]) {
  view.window = [from, to];
  view.plot?.setScale("x", { min: from, max: to });
}

function toggle(view, name) {
  if (!view.hidden.delete(name)) view.hidden.add(name);
  draw(view);
}

/** Draw the chart that a view has. */
export function draw(view) {
  const { chart, element } = view;
  if (!chart) return;
  view.window = [chart.start, chart.end];
  view.shape = layout(chart, view.hidden);
  plot(view);
  fillLegend(view, (name) => toggle(view, name));
  tellValues(view);
  element.dataset.points = String(chart.series.reduce((sum, line) => sum + line.average.length, 0));
  element.dataset.state = "drawn";
  window.adminsetCharts.set(element.id || element.dataset.url, view);
  tellState(view);
  tellCoverage(view);
}

/** Draw it in the colours that the page has now. */
export function redraw(view) {
  view.key = "";
  draw(view);
}
