// Lays a chart out for uPlot: columns on one axis, what each of them is, how high the picture is.
import { bridged, silence, withGaps } from "./chart-data.js";
import { interval } from "./chart-format.js";

// Of a chart with more lines than this the bands from lowest to highest would hide each other.
const BANDED = 3;
const nothing = () => null;

/** Lay lines on one another: each column becomes the sum of those below and itself, null where itself was not measured. */
function laidOn(columns) {
  const height = new Array(columns[0]?.length ?? 0).fill(0);
  return columns.map((column) => column.map((value, i) => (value == null ? null : (height[i] += value))));
}

/** Lowest and highest of all that is drawn, zero included. */
function extent(columns) {
  let least = 0;
  let most = 0;
  for (const column of columns) {
    for (const value of column) {
      if (value > most) most = value;
      else if (value < least) least = value;
    }
  }
  return [least, most];
}

function heights(columns, unit) {
  const [least, most] = extent(columns);
  if (!least && !most) return { step: 1, least: 0, most: 1 };
  const step = interval(Math.max(most, -least), unit);
  const top = unit === "%" && most > 20 && most <= 101 ? 100 : Math.ceil(most / step) * step;
  return { step, least: Math.floor(least / step) * step, most: top };
}

/**
 * Give {data, parts, lines, height: {least, most, step}}.
 *
 * data: the columns, times first. parts: what each column after them is: {line: place in chart.series, role: "line", "area", "low" or "high"}.
 * Areas come first, the highest first, so that the lower ones stand before it; lines are drawn over them. lines: of each line that is
 * shown, by its place, what was measured: {column: its place in data, average, low, high}.
 */
export function layout(chart, hidden) {
  const { usual, at } = silence(chart.times);
  const times = withGaps(chart.times, at, (place) => chart.times[place - 1] + usual);
  const spread = (column) => column && withGaps(column, at, nothing);
  const shown = chart.series.map(({ name, stacked, average, low, high }, line) => ({ name, stacked, line, average: spread(average), low: spread(low), high: spread(high) })).filter(({ name }) => !hidden.has(name));
  const areas = shown.filter((line) => line.stacked);
  const columns = laidOn(areas.map((line) => line.average)).reverse();
  const parts = areas.map(({ line }) => ({ line, role: "area" })).reverse();
  const add = (column, line, role) => {
    columns.push(column);
    parts.push({ line, role });
  };
  for (const { stacked, line, average, low, high } of shown) {
    if (stacked) continue;
    if (low && chart.series.length <= BANDED) {
      add(low, line, "low");
      add(high, line, "high");
    }
    add(bridged(average, times, usual), line, "line");
  }
  const columnOf = new Map(parts.map(({ line }, i) => [line, i + 1]));
  const lines = new Map(shown.map((each) => [each.line, { ...each, column: columnOf.get(each.line) }]));
  return { data: [times, ...columns], parts, lines, height: heights(columns, chart.unit) };
}
