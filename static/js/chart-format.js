// Numbers with their units, moments and time axes in the reader's language and zone, as axes, legends and tips say them.
import { locale } from "./words.js";

// The zone that the reader chose in the portal; else that of the browser.
export const zone = document.querySelector("[data-zone]")?.dataset.zone || undefined;
const DAY = 86400;
const numbers = [0, 1, 2].map((digits) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }));
const number = (value, digits) => numbers[digits].format(value);

const dates = (parts) => new Intl.DateTimeFormat(locale, { ...parts, timeZone: zone, hourCycle: "h23" });
const minute = dates({ hour: "2-digit", minute: "2-digit" });
const second = dates({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = dates({ month: "short", day: "numeric" });
const month = dates({ month: "short" });
const year = dates({ year: "numeric" });
const yearMonth = dates({ year: "numeric", month: "short" });
const whole = dates({ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });

function scaled(value, base, units) {
  let size = Math.abs(value);
  let step = 0;
  while (size >= base && step < units.length - 1) {
    size /= base;
    step += 1;
  }
  return `${number(Math.sign(value) * size, size < 10 && step ? 1 : 0)} ${units[step]}`.trim();
}

/** Say a value in its unit: "%", "B", "B/s", "s", "ms" or any word; null is "-". */
export function format(value, unit = "") {
  if (value === null || value === undefined || Number.isNaN(value)) return "-";
  if (unit === "B" || unit === "bytes") return scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
  if (unit === "B/s") return scaled(value, 1024, ["B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s"]);
  if (unit === "b/s") return scaled(value, 1000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);
  if (unit === "%") return `${number(value, 1)} %`;
  if (!unit && Math.abs(value) >= 10000) return scaled(value, 1000, ["", "k", "M", "G"]);
  return `${number(value, Math.abs(value) < 10 ? 2 : 1)} ${unit}`.trim();
}

/** Give the distance of grid lines that reads well in the unit: 25 %, 256 MiB, 500. */
export function interval(most, unit) {
  // Parts that are rounded may be a little more than the whole.
  if (unit === "%" && most <= 101 && most > 20) return 25;
  const binary = ["B", "bytes", "B/s"].includes(unit);
  const base = binary ? 1024 ** Math.floor(Math.log(Math.max(most, 1)) / Math.log(1024)) : 1;
  const rough = Math.max(most, 1e-9) / base / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= rough) * power * base;
  return binary && base === 1 ? Math.max(1, Math.round(step)) : step;
}

/** Say a moment (Unix seconds), to the second. */
export const moment = (time) => whole.format(time * 1000);

/** Say the moments (Unix seconds) of a time axis whose lines stand `step` seconds apart: the time, at midnight the day; days; months, with the year where it is another. */
export function timeLabels(times, step) {
  return times.map((time, i) => {
    const at = time * 1000;
    if (step >= 28 * DAY) return (i && year.format(at) === year.format(times[i - 1] * 1000) ? month : yearMonth).format(at);
    if (step >= DAY || minute.format(at) === "00:00") return day.format(at);
    return (step < 60 ? second : minute).format(at);
  });
}

/** Say a share of one in percent: 0.987 is "98.7 %"; what is not whole is never said to be. */
export function share(part) {
  return `${number(Math.floor(part * 1000) / 10, 1)} %`;
}
