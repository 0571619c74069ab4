// [data-live=watch-url data-span=seconds]: asks the agent for a sample each second and draws what comes, while the button is on and the page is seen.
import { chartsOf, grown, newest } from "./chart-data.js";
import { show, sources } from "./charts.js";
import { say } from "./words.js";

const WATCH_MS = 20000;
const FRESH_SECONDS = 10;
const button = document.querySelector("[data-live]");
const note = document.querySelector("[data-live-note]");
let watchedAt = 0;
let busy = false;

const isOn = () => button.getAttribute("aria-pressed") === "true";

async function watch() {
  if (Date.now() - watchedAt < WATCH_MS) return;
  watchedAt = Date.now();
  const { "x-csrftoken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
  const answer = await fetch(button.dataset.live, { method: "POST", headers: { "X-CSRFToken": token, "X-Automatic": "1", Accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.status);
}

async function grow(source) {
  const since = newest(source.charts) || Date.now() / 1000 - 60;
  const answer = await fetch(`${source.url}&since=${since.toFixed(3)}`, { headers: { Accept: "application/json", "X-Automatic": "1" } });
  if (!answer.ok) throw new Error(answer.status);
  const fresh = chartsOf(await answer.json());
  const stretch = Number(button.dataset.span) * 1000;
  for (const [key, chart] of Object.entries(fresh)) {
    if (source.charts[key]) source.charts[key] = grown(source.charts[key], chart, stretch);
  }
  show(source);
  return Date.now() / 1000 - newest(source.charts) < FRESH_SECONDS;
}

async function tick() {
  if (!isOn() || document.hidden || busy) return;
  busy = true;
  try {
    await watch();
    let flows = true;
    for (const source of sources.values()) if (source.charts) flows = await grow(source);
    // An agent learns with its next report that somebody watches.
    note.textContent = flows ? say("polling") : say("liveSoon");
  } catch {
    note.textContent = say("chartFailed");
  }
  busy = false;
}

function turn(on) {
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("active", on);
  for (const source of sources.values()) source.live = on;
  if (!on) note.textContent = "";
  watchedAt = 0;
  tick();
}

if (button) {
  button.addEventListener("click", () => turn(!isOn()));
  document.addEventListener("visibilitychange", tick);
  setInterval(tick, 1000);
}
