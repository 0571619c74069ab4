// [data-live=watch-url data-span=seconds]: asks the agent for a sample each second and draws what comes, while the button is on and the page is seen.
import { chartsOf, grown, newest } from "./chart-data.js";
import { show, sources } from "./charts.js";
import { locale, say } from "./words.js";

const WATCH_MS = 20000;
const FRESH_SECONDS = 10;
let watchedAt = 0;
// When live samples come at the latest, by this browser's clock; null: the agent is silent.
let liveAt = 0;
let busy = false;

// Another range brings another button.
const liveButton = () => document.querySelector("button[data-live]");
const isOn = () => liveButton()?.getAttribute("aria-pressed") === "true";

function tell(text) {
  const note = document.querySelector("[data-live-note]");
  if (note) note.textContent = text;
}

async function watch() {
  if (Date.now() - watchedAt < WATCH_MS) return;
  watchedAt = Date.now();
  const { "x-csrftoken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
  const answer = await fetch(liveButton().dataset.live, { method: "POST", headers: { "X-CSRFToken": token, "X-Automatic": "1", Accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.status);
  const { live_in: seconds } = await answer.json();
  const at = seconds === null ? null : Date.now() + seconds * 1000;
  // What was promised stays promised: a later answer may only come nearer.
  liveAt = at === null || !liveAt || liveAt < Date.now() ? at : Math.min(liveAt, at);
}

/** Say from when on it is live: an agent learns with its next report that somebody watches. */
function soon() {
  if (liveAt === null) return say("liveSilent");
  const left = Math.ceil((liveAt - Date.now()) / 1000);
  return left > 0 ? say("liveBy", new Date(liveAt).toLocaleTimeString(locale), left) : say("liveSoon");
}

async function grow(source) {
  const since = newest(Object.values(source.charts)) || Date.now() / 1000 - 60;
  const answer = await fetch(`${source.url}&since=${since.toFixed(3)}`, { headers: { Accept: "application/json", "X-Automatic": "1" } });
  if (!answer.ok) throw new Error(answer.status);
  const fresh = chartsOf(await answer.json());
  const stretch = Number(liveButton()?.dataset.span);
  if (!stretch) return true;
  for (const [key, chart] of Object.entries(fresh)) {
    if (source.charts[key]) source.charts[key] = grown(source.charts[key], chart, stretch);
  }
  show(source);
  return Date.now() / 1000 - newest(Object.values(source.charts)) < FRESH_SECONDS;
}

async function tick() {
  if (!isOn() || document.hidden || busy) return;
  busy = true;
  try {
    await watch();
    let flows = true;
    for (const source of sources.values()) if (source.charts) flows = await grow(source);
    tell(flows ? say("polling") : soon());
  } catch {
    tell(say("chartFailed"));
  }
  busy = false;
}

function turn(on) {
  const button = liveButton();
  button?.setAttribute("aria-pressed", String(on));
  button?.classList.toggle("active", on);
  for (const source of sources.values()) source.live = on;
  if (!on) tell("");
  watchedAt = liveAt = 0;
  tick();
}

document.addEventListener("click", ({ target }) => { if (target.closest("button[data-live]")) turn(!isOn()); });
document.addEventListener("adminset:range", () => turn(false));
document.addEventListener("visibilitychange", tick);
setInterval(tick, 1000);
