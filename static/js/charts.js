// Charts [data-chart data-url data-key]: drawn when seen, refreshed each data-refresh seconds while the page is looked at.
// Charts of one address share one answer; without data-key the answer is the chart itself.
import { chartsOf } from "./chart-data.js";
import { write } from "./chart-notes.js";
import { forgetColors } from "./chart-plot.js";
import { draw, makeView, redraw, zoom } from "./chart-view.js";
import { say } from "./words.js";

/** Address -> {url, charts, loadedAt, busy, live}: what one answer gives to many charts. */
export const sources = new Map();
const views = new Map();

function sourceOf(url) {
  if (!sources.has(url)) sources.set(url, { url, charts: null, loadedAt: 0, busy: null, live: false });
  return sources.get(url);
}

function fill(view) {
  view.chart = view.source.charts[view.element.dataset.key ?? ""] ?? null;
  view.stale = false;
  draw(view);
}

const viewsOf = (source) => [...views.values()].filter((view) => view.source === source);

/** Draw what a source has now into its charts; those out of sight wait until they are seen. */
export function show(source) {
  for (const view of viewsOf(source)) {
    if (view.visible) fill(view);
    else view.stale = true;
  }
}

async function load(source) {
  try {
    const answer = await fetch(source.url, { headers: { Accept: "application/json", "X-Automatic": "1" } });
    if (!answer.ok) throw new Error(answer.status);
    source.charts = chartsOf(await answer.json());
    show(source);
  } catch {
    for (const view of viewsOf(source)) {
      view.element.dataset.state = "failed";
      write(view, say("chartFailed"));
    }
  }
  source.loadedAt = Date.now();
  source.busy = null;
}

function look(view) {
  if (!view.visible) return;
  if (!view.source.charts) view.source.busy ??= load(view.source);
  else if (view.stale) fill(view);
}

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!views.has(target)) {
      if (!isIntersecting) continue;
      views.set(target, makeView(target, sourceOf(target.dataset.url)));
    }
    const view = views.get(target);
    view.visible = isIntersecting;
    look(view);
  }
}, { rootMargin: "200px" });

/** Ask the addresses that the charts have now: the page shows another range. */
function follow() {
  for (const view of views.values()) Object.assign(view, { source: sourceOf(view.element.dataset.url), stale: true });
  for (const [url, source] of sources) if (!viewsOf(source).length) sources.delete(url);
  views.forEach(look);
}

function tick() {
  if (document.hidden) return;
  for (const [element, view] of views) {
    const every = Number(element.dataset.refresh) * 1000;
    const { source } = view;
    if (!element.isConnected) {
      view.plot?.destroy();
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
document.addEventListener("adminset:theme", () => {
  forgetColors();
  views.forEach(redraw);
});
document.addEventListener("adminset:zoom", ({ detail }) => views.forEach((view) => zoom(view, detail)));
document.addEventListener("adminset:range", follow);
document.addEventListener("visibilitychange", tick);
setInterval(tick, 1000);
