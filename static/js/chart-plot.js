// Makes the uPlot of a chart: lines, areas, bands, axes in the theme's colours, marks as vertical lines.
import { format, timeLabels, zone } from "./chart-format.js";

const MARK_COLORS = { run: "--chart-1", change: "--chart-4", deploy: "--chart-3", rollback: "--warning", alert: "--danger" };
const COLORS = 8;
let tokens = new Map();

/** Forget the colours of a theme that is not the page's any more. */
export const forgetColors = () => { tokens = new Map(); };

function token(name) {
  if (!tokens.has(name)) tokens.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return tokens.get(name);
}

/** Name the token of a line's colour by its place. */
export const colorName = (line) => `--chart-${(line % COLORS) + 1}`;

/** Mix two colours of tokens.css (#rrggbb): a canvas lays an area over another, and neither may shine through. */
function mixed(color, ground, part) {
  const [above, below] = [color, ground].map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return `rgb(${above.map((value, i) => Math.round(value * part + below[i] * (1 - part))).join(" ")})`;
}

/** Places of values that stand alone between gaps: a line through one point is not seen, so it gets a dot. */
function lonely(plot, column) {
  const values = plot.data[column];
  const found = [];
  let before = null;
  let last = -1;
  for (let i = 0; i <= values.length; i += 1) {
    const value = i < values.length ? values[i] : null;
    if (value === undefined) continue;
    if (value === null && last >= 0 && before === null) found.push(last);
    before = last >= 0 ? values[last] : null;
    last = value === null ? -1 : i;
  }
  return found.length ? found : null;
}

function seriesOf({ line, role }) {
  const color = token(colorName(line));
  const points = { show: () => false, filter: lonely, size: 4, fill: color, stroke: color };
  if (role === "low" || role === "high") return { points: { show: () => false }, width: 0 };
  if (role === "area") return { stroke: color, width: 0.5, fill: mixed(color, token("--surface"), 0.5), points };
  return { stroke: color, width: 1.5, points };
}

/** Say between which columns a band is filled: uPlot wants the higher first. */
function bandsOf(parts) {
  return parts.flatMap(({ line, role }, i) => (role === "low" ? [{ series: [i + 2, i + 1], fill: `${token(colorName(line))}29` }] : []));
}

function valueWidth(plot, values, axis, cycle) {
  const { _size, font, gap } = plot.axes[axis];
  if (cycle > 1 || !values) return cycle > 1 ? _size : 40;
  [plot.ctx.font] = font;
  return Math.ceil(Math.max(...values.map((value) => plot.ctx.measureText(value).width)) / devicePixelRatio) + gap + 4;
}

function splits({ least, most, step }) {
  return Array.from({ length: Math.round((most - least) / step) + 1 }, (_, i) => least + i * step);
}

/** Labels of the time axis; one at the very left would lie on the lowest of the other axis. */
function timeValues(view, times, step) {
  const [from, to] = view.window;
  const free = ((to - from) * 24) / Math.max(view.box.clientWidth - 60, 60);
  return timeLabels(times, step).map((label, i) => (times[i] < from + free ? "" : label));
}

function axesOf(view) {
  const common = { stroke: token("--text-muted"), font: `11px ${token("--font-text")}`, ticks: { show: false }, gap: 6 };
  const grid = { stroke: token("--line"), width: 1 };
  return [
    { ...common, size: 22, space: 70, grid: { show: false }, border: { show: true, stroke: token("--line"), width: 1 }, values: (plot, times, axis, space, step) => timeValues(view, times, step) },
    { ...common, size: valueWidth, grid, splits: () => splits(view.shape.height), values: (plot, values) => values.map((value) => format(value, view.chart.unit)) },
  ];
}

function drawMarks(plot, marks) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.globalAlpha = 0.7;
  for (const mark of marks) {
    const x = plot.valToPos(mark.time / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = token(MARK_COLORS[mark.kind] ?? "--chart-4");
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Make the plot of a view {chart, shape, window: [from, to], box}. cursor, hooks: of chart-gestures.js. */
export function makePlot(view, cursor, hooks) {
  const options = {
    width: view.box.clientWidth, height: view.box.clientHeight,
    padding: [6, 8, 0, 0],
    legend: { show: false },
    cursor,
    hooks: { ...hooks, draw: [(plot) => drawMarks(plot, view.chart.marks ?? [])] },
    tzDate: (time) => (zone ? window.uPlot.tzDate(new Date(time * 1000), zone) : new Date(time * 1000)),
    scales: {
      x: { range: () => view.window },
      y: { range: () => [view.shape.height.least, view.shape.height.most] },
    },
    axes: axesOf(view),
    series: [{}, ...view.shape.parts.map(seriesOf)],
    bands: bandsOf(view.shape.parts),
  };
  return new window.uPlot(options, view.shape.data, view.box);
}
