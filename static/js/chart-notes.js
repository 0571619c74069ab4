// What is said over a chart: that there is nothing, since when there is nothing, how much is there.
import { moment, share } from "./chart-format.js";
import { say } from "./words.js";

const lastPoint = (data) => Math.max(-Infinity, ...data.series.map((one) => one.points.findLast((p) => p[1] !== null)?.[0] ?? -Infinity));

function noteText(data) {
  const last = lastPoint(data);
  if (data.no_data_since) return say("noDataSince", moment(data.no_data_since));
  if (last === -Infinity) return say("noData");
  const late = Math.max(120000, ((data.end - data.start) / 100) * 3);
  return data.end && data.end - last > late ? say("noDataSince", moment(last)) : "";
}

/** Say a sentence over a chart; over an empty one it stands in the middle. */
export function write(view, text) {
  view.note.textContent = text;
  view.note.hidden = !text;
  const whole = !view.data || lastPoint(view.data) === -Infinity;
  view.note.toggleAttribute("data-whole", whole);
  view.note.classList.toggle("badge-state", !whole);
  view.note.classList.toggle("state-warning", !whole);
}

/** Say since when nothing came, where nothing did. */
export function tellState(view) {
  write(view, noteText(view.data));
}

/** Say in the card's head how much of what was expected is there. */
export function tellCoverage(view) {
  const place = view.element.closest(".card")?.querySelector("[data-coverage]");
  if (!place || view.data.coverage === undefined) return;
  const missing = view.data.hosts_left_out || view.data.left_out;
  place.textContent = say("coverage", share(view.data.coverage)) + (missing ? ` · ${say("leftOut", missing)}` : "");
  place.classList.toggle("is-thin", view.data.coverage < 0.9);
  place.hidden = false;
}
