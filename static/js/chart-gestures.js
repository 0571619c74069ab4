// What hands do on a chart: a crosshair over all charts of the page, a stretch that is drawn becomes the page's range; wheel, keys, touch.
import { goBack, zoomTo } from "./chart-range.js";
import { hideTip } from "./chart-tip.js";

const LEAST = 6;
const WHEEL_REST_MS = 350;
let resting = 0;

/** Give uPlot's cursor for a view; charts of one data-group move together. */
export function cursorOf(view) {
  const { group } = view.element.dataset;
  return {
    y: false,
    points: { size: 7, show: (plot, column) => (["line", "area"].includes(view.shape.parts[column - 1]?.role) ? document.createElement("div") : null) },
    ...(group && { sync: { key: group, setSeries: false, scales: ["x", null] } }),
    drag: { x: true, y: false, setScale: false, dist: LEAST },
    bind: {
      // The link over a mark is inside: what happens over it counts too.
      mousedown: (plot, target, handle) => (event) => event.button === 0 && !event.shiftKey && handle(event),
      mousemove: (plot, target, handle) => handle,
      dblclick: () => goBack,
    },
  };
}

/** Read the stretch that was drawn over a plot, and take it off again: every chart of the group shows it. */
export function takeSelection(plot) {
  const { left, width } = plot.select;
  if (width < LEAST) return;
  const range = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  zoomTo(...range);
}

function zoomAround(view, middle, factor) {
  const [from, to] = view.window;
  zoomTo(middle - (middle - from) * factor, middle + (to - middle) * factor, { final: false });
  clearTimeout(resting);
  resting = setTimeout(() => zoomTo(...view.window), WHEEL_REST_MS);
}

function moveCursor(view, step) {
  const { plot, shape } = view;
  const [times] = shape.data;
  const [first, last] = plot.series[0].idxs;
  const place = Math.min(Math.max((plot.cursor.idx ?? (step > 0 ? first - 1 : last + 1)) + step, first), last);
  plot.setCursor({ left: plot.valToPos(times[place], "x"), top: 10 }, true, true);
}

function pan(view, event) {
  const { plot } = view;
  const [from, to] = view.window;
  const second = (to - from) / plot.over.clientWidth;
  const range = (now) => [from, to].map((end) => end - (now.clientX - event.clientX) * second);
  const move = (now) => zoomTo(...range(now), { final: false });
  plot.over.setPointerCapture(event.pointerId);
  plot.over.addEventListener("pointermove", move);
  plot.over.addEventListener("pointerup", (now) => {
    plot.over.removeEventListener("pointermove", move);
    if (Math.abs(now.clientX - event.clientX) >= LEAST) zoomTo(...range(now));
  }, { once: true });
}

function leave(view) {
  view.isPointed = view.byKey = false;
  hideTip(view);
}

function onKey(view, event) {
  const { plot } = view;
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity };
  const zooms = { "+": 0.5, "-": 2 };
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in steps) {
    view.isPointed = view.byKey = true;
    moveCursor(view, steps[event.key]);
  } else if (event.key in zooms) {
    const at = plot.cursor.idx == null ? (view.window[0] + view.window[1]) / 2 : view.shape.data[0][plot.cursor.idx];
    zoomAround(view, at, zooms[event.key]);
  } else if (event.key === "Escape") plot.setCursor({ left: -10, top: -10 }, true, true);
  else if (event.key === "Enter" && !view.link.hidden) view.link.click();
  else return;
  event.preventDefault();
}

/** Listen to mouse and touch over the plot that a view has now. */
export function listenToPlot(view) {
  const { plot } = view;
  const { over } = plot;
  over.addEventListener("mouseenter", () => { view.isPointed = true; });
  over.addEventListener("mouseleave", () => leave(view));
  over.addEventListener("pointerdown", (event) => event.shiftKey && event.button === 0 && pan(view, event));
  over.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") return;
    view.isPointed = true;
    const { left, top } = over.getBoundingClientRect();
    plot.setCursor({ left: event.clientX - left, top: event.clientY - top }, true, true);
  });
  over.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomAround(view, plot.posToVal(event.clientX - over.getBoundingClientRect().left, "x"), event.deltaY > 0 ? 1.25 : 0.8);
  }, { passive: false });
}

/** Listen to keys on the box of a view: once, it outlives its plots. */
export function listenToKeys(view) {
  view.box.addEventListener("keydown", (event) => view.plot && onKey(view, event));
  view.box.addEventListener("blur", () => {
    if (view.byKey) view.plot?.setCursor({ left: -10, top: -10 }, true, true);
    leave(view);
  });
}
