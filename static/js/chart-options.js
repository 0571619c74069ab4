// Turns the server's JSON into an ECharts option: average lines, min-max bands, gaps as gaps, marks.
import { format, interval, moment } from "./chart-format.js";

const MARK_COLORS = { run: "--chart-1", change: "--chart-4", deploy: "--chart-3", alert: "--danger" };
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * Put a null between points that stand far apart, so that silence shows as a gap: more than 2.5 times the usual step, and the steps
 * beside it (a page that turned live has points of 15 s and of 1 s).
 */
export function withGaps(points) {
  const steps = points.slice(1).map((point, i) => point[0] - points[i][0]);
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] || 0;
  return points.flatMap((point, i) => {
    const allowed = Math.max(usual, steps[i - 2] ?? 0, steps[i] ?? 0);
    return i && usual && steps[i - 1] > allowed * 2.5 ? [[points[i - 1][0] + usual, null], point] : [point];
  });
}

function tooltip(items, unit) {
  const box = document.createElement("div");
  box.className = "chart-tip";
  const add = (name, text) => {
    const part = document.createElement("span");
    part.className = name;
    part.textContent = text;
    box.append(part);
    return part;
  };
  add("when", moment(items[0].axisValue));
  for (const item of items) {
    if (item.seriesName.startsWith("\u200b")) continue;
    add("dot", "").style.background = item.color;
    add("name", item.seriesName);
    const [, average, least, most] = item.data;
    add("value", format(average, unit) + (most == null ? "" : ` (${format(least, unit)} - ${format(most, unit)})`));
  }
  return box;
}

function band(name, points, color) {
  const base = { type: "line", stack: `\u200b${name}`, symbol: "none", silent: true, lineStyle: { opacity: 0 }, connectNulls: false, tooltip: { show: false } };
  return [
    { ...base, name: `\u200b${name} min`, data: points.map((p) => [p[0], p[2] ?? null]) },
    { ...base, name: `\u200b${name} band`, areaStyle: { color, opacity: 0.16 }, data: points.map((p) => [p[0], p[3] == null ? null : p[3] - p[2]]) },
  ];
}

function marks(list) {
  if (!list?.length) return undefined;
  return {
    symbol: "none",
    label: { show: false },
    emphasis: { label: { show: true, formatter: "{b}", color: token("--text"), backgroundColor: token("--surface"), padding: 3, fontSize: 11, position: "insideEndTop", rotate: 0 }, lineStyle: { width: 3 } },
    lineStyle: { color: token("--chart-4"), type: "solid", width: 2, opacity: 0.7, cap: "butt" },
    data: list.map((mark) => ({ xAxis: mark.time ?? mark.at, name: mark.title ?? mark.label ?? "", url: mark.url, lineStyle: { color: token(MARK_COLORS[mark.kind] ?? "--chart-4") } })),
  };
}

/** Lowest and highest of all that is drawn, zero included; lines that are laid on one another count together. */
function extent(lines) {
  let least = 0;
  let most = 0;
  const heights = new Map();
  for (const { points, stacked } of lines) {
    for (const [time, ...values] of points) {
      for (const value of values) {
        if (value === null) continue;
        if (value < least) least = value;
        if (value > most) most = value;
      }
      if (stacked) heights.set(time, (heights.get(time) ?? 0) + (values[0] ?? 0));
    }
  }
  for (const height of heights.values()) if (height > most) most = height;
  return [least, most];
}

/** Build the option. data: {unit, series: [{name, points: [[ms, avg, min, max] or [ms, null]]}], start, end, marks}. */
export function chartOption(data) {
  const colors = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => token(`--chart-${n}`));
  const muted = token("--text-muted");
  const line = token("--line");
  const series = [];
  data.series.forEach((one, i) => {
    const color = colors[i % colors.length];
    const points = withGaps(one.points);
    if (data.series.length <= 3 && !one.stacked && points.some((p) => p.length > 3)) series.push(...band(one.name, points, color));
    series.push({
      type: "line", name: one.name, color, symbol: "circle", symbolSize: 4, showSymbol: one.points.length < 2,
      lineStyle: { width: 1.5 }, connectNulls: false, sampling: "lttb", emphasis: { disabled: true },
      data: points, markLine: i === 0 ? marks(data.marks) : undefined,
      ...(one.stacked && { stack: "parts", areaStyle: { opacity: 0.5 }, lineStyle: { width: 0.5 }, sampling: undefined }),
    });
  });
  const many = data.series.length > 1;
  const [least, most] = extent(data.series);
  const step = interval(most, data.unit);
  const font = { color: muted, fontSize: 11, fontFamily: token("--font-text") };
  return {
    animation: false,
    textStyle: { fontFamily: token("--font-text") },
    grid: { left: 4, right: 12, top: many ? 30 : 10, bottom: 2, containLabel: true },
    legend: many ? { type: "scroll", top: 0, left: 0, itemWidth: 12, itemHeight: 8, icon: "roundRect", textStyle: font, pageTextStyle: font, pageIconColor: muted, data: data.series.map((one) => one.name) } : { show: false },
    tooltip: { trigger: "axis", confine: true, backgroundColor: token("--surface"), borderColor: token("--line-strong"), padding: [6, 10], formatter: (items) => tooltip(items, data.unit) },
    axisPointer: { lineStyle: { color: muted, type: "dashed" } },
    xAxis: { type: "time", min: data.start, max: data.end, splitNumber: 6, axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { ...font, hideOverlap: true }, splitLine: { show: false } },
    yAxis: { type: "value", min: least < 0 ? undefined : 0, max: data.unit === "%" && most > 20 && most <= 101 ? 100 : Math.ceil(most / step) * step || undefined, interval: least < 0 ? undefined : step, axisLabel: { ...font, formatter: (value) => format(value, data.unit) }, splitLine: { lineStyle: { color: line } } },
    dataZoom: [{ type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseMove: "shift", preventDefaultMouseMove: false }],
    series,
  };
}
