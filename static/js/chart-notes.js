// What is said over a chart: that there is nothing, since when there is nothing, how much is there.
import { newest } from "./chart-data.js";
import { moment, share } from "./chart-format.js";
import { say } from "./words.js";

/** Whether a chart ends long after a moment (Unix seconds): what was measured then is not what is. */
export const isLate = (chart, time) => chart.end - time > Math.max(120, ((chart.end - chart.start) / 100) * 3);

function noteText(chart) {
  const last = newest([chart]);
  if (chart.no_data_since) return say("noDataSince", moment(chart.no_data_since));
  if (!last) return say("noData");
  return isLate(chart, last) ? say("noDataSince", moment(last)) : "";
}

/** Say a sentence over a chart; over an empty one it stands in the middle. */
export function write(view, text) {
  view.note.textContent = text;
  view.note.hidden = !text;
  const whole = !view.chart || !newest([view.chart]);
  view.note.toggleAttribute("data-whole", whole);
  view.note.classList.toggle("badge-state", !whole);
  view.note.classList.toggle("state-warning", !whole);
}

/** Say since when nothing came, where nothing did. */
export function tellState(view) {
  write(view, noteText(view.chart));
}

/** Say in the card's head how much of what was expected is there. */
export function tellCoverage({ element, chart }) {
  const place = element.closest(".card")?.querySelector("[data-coverage]");
  if (!place || chart.coverage === undefined) return;
  const missing = chart.hosts_left_out || chart.left_out;
  place.textContent = say("coverage", share(chart.coverage)) + (missing ? ` · ${say("leftOut", missing)}` : "");
  place.classList.toggle("is-thin", chart.coverage < 0.9);
  place.hidden = false;
}
