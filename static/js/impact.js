// The impact picture [data-impact data-url]: objects in columns, one column a step, lines between them; a click opens one.
import { say } from "./words.js";

const ROW = 34;
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Give each object its place: the column is its step, the row its turn in the column; short columns stand in the middle. */
export function places(nodes) {
  const columns = [];
  nodes.forEach((node, number) => (columns[node.level] ||= []).push(number));
  const rows = Math.max(...columns.map((column) => column.length));
  const at = [];
  columns.forEach((column, x) => column.forEach((number, i) => { at[number] = [x, ((i + 0.5) * rows) / column.length]; }));
  return { at, rows, columns: columns.length };
}

function edges(data, at) {
  // One line series draws them all: a gap stands between two.
  return data.links.flatMap((link) => [at[link.source], at[link.target], [null, null]]);
}

/** Build the option. data: {nodes: [{name, kind, level, url}], links: [{source, target, words}]}. */
export function impactOption(data) {
  const { at, rows, columns } = places(data.nodes);
  const font = { color: token("--text"), fontSize: 11, fontFamily: token("--font-text") };
  const kinds = [...new Set(data.nodes.map((node) => node.kind))];
  const axis = { type: "value", show: false, min: -0.2 };
  const zoom = { type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseMove: "shift", preventDefaultMouseMove: false, filterMode: "none" };
  const symbols = kinds.map((kind, i) => ({
    type: "scatter", name: kind, color: token(`--chart-${(i % 8) + 1}`), symbolSize: 12, z: 3, cursor: "pointer",
    label: { ...font, show: true, position: "right", distance: 6, formatter: (item) => item.data.title, width: 170, overflow: "truncate", backgroundColor: token("--surface") },
    labelLayout: { hideOverlap: true },
    data: data.nodes.flatMap((node, number) => (node.kind === kind
      ? [{ value: at[number], title: node.name, url: node.url, symbolSize: node.level ? 12 : 18 }] : [])),
  }));
  return {
    animation: false,
    textStyle: { fontFamily: token("--font-text") },
    grid: { left: 12, right: 12, top: 34, bottom: 8 },
    legend: { type: "scroll", top: 0, left: 0, icon: "circle", itemWidth: 10, itemHeight: 10, textStyle: font, pageTextStyle: font, pageIconColor: font.color, data: kinds },
    tooltip: {
      trigger: "item", confine: true, renderMode: "richText", backgroundColor: token("--surface"), borderColor: token("--line-strong"), textStyle: font,
      formatter: (item) => (item.data?.title ? `${item.seriesName}: ${item.data.title}` : ""),
    },
    xAxis: { ...axis, max: columns - 0.1 },
    yAxis: { ...axis, inverse: true, min: 0, max: rows },
    dataZoom: [{ ...zoom, xAxisIndex: 0 }, { ...zoom, yAxisIndex: 0 }],
    series: [
      { type: "line", silent: true, symbol: "none", connectNulls: false, z: 1, lineStyle: { color: token("--line-strong"), width: 1 }, tooltip: { show: false }, data: edges(data, at) },
      ...symbols,
    ],
  };
}

async function draw(element) {
  const note = element.appendChild(document.createElement("div"));
  note.className = "chart-note";
  note.setAttribute("role", "status");
  note.toggleAttribute("data-whole", true);
  try {
    const answer = await fetch(element.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status);
    const data = await answer.json();
    const height = Math.min(Math.max(places(data.nodes).rows * ROW + 60, 200), 900);
    const canvas = element.appendChild(document.createElement("div"));
    canvas.className = "impact-canvas";
    const chart = window.echarts.init(canvas, null, { renderer: "canvas", height });
    chart.setOption(impactOption(data));
    chart.on("click", (item) => { if (item.data?.url) window.location.assign(item.data.url); });
    new ResizeObserver(() => chart.resize({ height })).observe(element);
    document.addEventListener("adminset:theme", () => chart.setOption(impactOption(data)));
    note.hidden = true;
    element.dataset.nodes = String(data.nodes.length);
    element.dataset.state = "drawn";
  } catch {
    element.dataset.state = "failed";
    note.textContent = say("chartFailed");
  }
}

document.querySelectorAll("[data-impact]").forEach(draw);
