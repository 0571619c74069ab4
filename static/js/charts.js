// Charts [data-chart data-url data-key]: drawn when seen, refreshed each data-refresh seconds while the page is looked at.
// Charts of one address share one answer; without data-key the answer is the chart itself.
import { chartOption } from "./chart-options.js";
import { chartsOf } from "./chart-data.js";
import { tellCoverage, tellState, write } from "./chart-notes.js";
import { say } from "./words.js";

// Element id -> what is drawn: {data, option}. For tests and for the curious.
window.adminsetCharts = new Map();

/** Address -> {url, charts, loadedAt, busy, live}: what one answer gives to many charts. */
export const sources = new Map();
const views = new Map();

function sourceOf(url) {
  if (!sources.has(url)) sources.set(url, { url, charts: null, loadedAt: 0, busy: null, live: false });
  return sources.get(url);
}

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
  chart.on("click", ({ componentType, data }) => {
    if (componentType === "markLine" && data?.url) window.location.assign(data.url);
  });
  return { element, chart, note, data: null, source: sourceOf(element.dataset.url) };
}

function draw(view) {
  if (!view.data) return;
  const option = chartOption(view.data);
  view.chart.setOption(option, { notMerge: false, replaceMerge: ["series"] });
  view.element.dataset.points = String(view.data.series.reduce((sum, one) => sum + one.points.length, 0));
  view.element.dataset.state = "drawn";
  window.adminsetCharts.set(view.element.id || view.element.dataset.url, { data: view.data, option });
  tellState(view);
  tellCoverage(view);
}

/** Draw what a source has now into its charts; those out of sight wait until they are seen. */
export function show(source) {
  for (const view of views.values()) {
    if (view.source !== source || !source.charts) continue;
    view.data = source.charts[view.element.dataset.key ?? ""] ?? null;
    if (view.visible) draw(view);
    view.stale = !view.visible;
  }
}

async function load(source) {
  try {
    const answer = await fetch(source.url, { headers: { Accept: "application/json", "X-Automatic": "1" } });
    if (!answer.ok) throw new Error(answer.status);
    source.charts = chartsOf(await answer.json());
    show(source);
  } catch {
    for (const view of views.values()) {
      if (view.source !== source) continue;
      view.element.dataset.state = "failed";
      write(view, say("chartFailed"));
    }
  }
  source.loadedAt = Date.now();
  source.busy = null;
}

function look(view, isVisible) {
  view.visible = isVisible;
  if (!isVisible) return;
  if (view.source.charts) {
    if (view.stale || !view.data) {
      view.data = view.source.charts[view.element.dataset.key ?? ""] ?? null;
      draw(view);
      view.stale = false;
    }
  } else view.source.busy ??= load(view.source);
}

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const view = views.get(target) || (isIntersecting && ready(target));
    if (!view) continue;
    views.set(target, view);
    look(view, isIntersecting);
  }
}, { rootMargin: "200px" });

function tick() {
  if (document.hidden) return;
  for (const [element, view] of views) {
    const every = Number(element.dataset.refresh) * 1000;
    const { source } = view;
    if (!element.isConnected) {
      view.chart.dispose();
      views.delete(element);
    } else if (view.visible && every && !source.live && Date.now() - source.loadedAt >= every) source.busy ??= load(source);
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
