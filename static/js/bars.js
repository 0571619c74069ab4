// Bars [data-bars data-url]: amounts side by side, drawn once from the server's JSON and again in the other theme; a bar with a url leads there.
import { format } from "./chart-format.js";
import { say } from "./words.js";

const ROW = 28;
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Build the option. data: {unit, bars: [{name, value, url}]}, the first on top. */
export function barOption(data) {
  const font = { color: token("--text-muted"), fontSize: 11, fontFamily: token("--font-text") };
  const line = token("--line");
  return {
    animation: false,
    textStyle: { fontFamily: token("--font-text") },
    grid: { left: 4, right: 24, top: 4, bottom: 2, containLabel: true },
    tooltip: {
      trigger: "item", confine: true, backgroundColor: token("--surface"), borderColor: token("--line-strong"),
      textStyle: { ...font, color: token("--text") }, renderMode: "richText",
      formatter: (item) => `${item.name}: ${format(item.value, data.unit)}`,
    },
    xAxis: { type: "value", min: 0, axisLabel: { ...font, hideOverlap: true, formatter: (value) => format(value, "") }, splitLine: { lineStyle: { color: line } } },
    yAxis: {
      type: "category", inverse: true, data: data.bars.map((bar) => bar.name), axisTick: { show: false },
      axisLine: { lineStyle: { color: line } }, axisLabel: { ...font, width: 130, overflow: "truncate" },
    },
    series: [{ type: "bar", barMaxWidth: 18, itemStyle: { color: token("--chart-1"), borderRadius: [0, 3, 3, 0] }, data: data.bars.map((bar) => bar.value) }],
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
    note.textContent = data.bars.length ? "" : say("noData");
    note.hidden = data.bars.length > 0;
    const canvas = element.appendChild(document.createElement("div"));
    canvas.className = "bars-canvas";
    const chart = window.echarts.init(canvas, null, { renderer: "canvas", height: data.bars.length * ROW + 40 });
    chart.setOption(barOption(data));
    chart.on("click", (item) => {
      const { url } = data.bars[item.dataIndex];
      if (url) window.location.assign(url);
    });
    new ResizeObserver(() => chart.resize({ height: data.bars.length * ROW + 40 })).observe(element);
    document.addEventListener("adminset:theme", () => chart.setOption(barOption(data)));
    element.dataset.state = "drawn";
  } catch {
    element.dataset.state = "failed";
    note.textContent = say("chartFailed");
  }
}

document.querySelectorAll("[data-bars]").forEach(draw);
