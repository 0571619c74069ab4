// <time data-ago>: keeps "3 minutes ago" true while the page is open, and says the exact moment in the browser's zone.
import { locale } from "./words.js";

const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long" });
const steps = [[60, 1, "second"], [3600, 60, "minute"], [86400, 3600, "hour"], [Infinity, 86400, "day"]];

function say(time) {
  const when = new Date(time.dateTime);
  const seconds = (when - Date.now()) / 1000;
  const [, size, unit] = steps.find(([most]) => Math.abs(seconds) < most);
  time.textContent = relative.format(Math.trunc(seconds / size), unit);
  time.title = exact.format(when);
}

const all = (root) => root.querySelectorAll("time[data-ago]").forEach(say);

all(document);
document.addEventListener("htmx:load", (event) => all(event.detail.elt));
setInterval(() => document.hidden || all(document), 20000);
