// Charts [data-chart data-url]: drawn when seen, refreshed each data-refresh seconds while the page is looked at.
import { chartOption } from "./chart-options.js";
import { moment } from "./chart-format.js";
import { say } from "./words.js";

// Element id -> what is drawn: {data, option}. For tests and for the curious.
window.adminsetCharts = new Map();

function ready(element) {
  element.textContent = "";
  const canvas = element.appendChild(document.createElement("div"));
  canvas.className = "chart-canvas";
  const note = element.appendChild(document.createElement("div"));
  note.className = "chart-note";
  note.setAttribute("role", "status");
  const chart = window.echarts.init(canvas, null, { renderer: "canvas" });
  if (element.dataset.group) {
    chart.group = element.dataset.group;
    window.echarts.connect(element.dataset.group);
  }
  new ResizeObserver(() => chart.resize()).observe(element);
  return { element, chart, note, data: null };
}

function lastPoint(data) {
  return Math.max(-Infinity, ...data.series.map((one) => one.points.findLast((p) => p[1] !== null)?.[0] ?? -Infinity));
}

function noteText(data) {
  const last = lastPoint(data);
  if (data.no_data_since) return say("noDataSince", moment(data.no_data_since));
  if (last === -Infinity) return say("noData");
  const late = Math.max(120000, ((data.end - data.start) / 100) * 3);
  return data.end && data.end - last > late ? say("noDataSince", moment(last)) : "";
}

function write(view, text) {
  view.note.textContent = text;
  view.note.hidden = !text;
  const whole = !view.data || lastPoint(view.data) === -Infinity;
  view.note.toggleAttribute("data-whole", whole);
  view.note.classList.toggle("badge-state", !whole);
  view.note.classList.toggle("state-warning", !whole);
}

function draw(view) {
  if (!view.data) return;
  const option = chartOption(view.data);
  view.chart.setOption(option, { notMerge: false, replaceMerge: ["series"] });
  view.element.dataset.points = String(view.data.series.reduce((sum, one) => sum + one.points.length, 0));
  window.adminsetCharts.set(view.element.id || view.element.dataset.url, { data: view.data, option });
  write(view, noteText(view.data));
}

async function load(view) {
  try {
    const answer = await fetch(view.element.dataset.url, { headers: { Accept: "application/json", "X-Automatic": "1" } });
    if (!answer.ok) throw new Error(answer.status);
    view.data = await answer.json();
    draw(view);
    view.element.dataset.state = "drawn";
  } catch {
    view.element.dataset.state = "failed";
    write(view, say("chartFailed"));
  }
  view.loadedAt = Date.now();
}

const views = new Map();
const due = (view) => {
  const every = Number(view.element.dataset.refresh) * 1000;
  return every > 0 && Date.now() - (view.loadedAt || 0) >= every;
};

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const view = views.get(target) || (isIntersecting && ready(target));
    if (!view) continue;
    if (!views.has(target)) {
      views.set(target, view);
      load(view);
    }
    view.visible = isIntersecting;
  }
}, { rootMargin: "200px" });

function tick() {
  if (document.hidden) return;
  for (const [element, view] of views) {
    if (!element.isConnected) {
      view.chart.dispose();
      views.delete(element);
    } else if (view.visible && due(view)) load(view);
  }
}

function find(root) {
  if (root.matches?.("[data-chart]")) seen.observe(root);
  root.querySelectorAll("[data-chart]").forEach((element) => seen.observe(element));
}

find(document);
document.addEventListener("htmx:load", (event) => find(event.detail.elt));
document.addEventListener("adminset:theme", () => views.forEach(draw));
document.addEventListener("visibilitychange", tick);
setInterval(tick, 1000);
