// Numbers with their units, as axis labels and in tooltips.
import { locale } from "./words.js";

const number = (value, digits) => value.toLocaleString(locale, { maximumFractionDigits: digits });

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

/** Say a moment: the time, with the date when the range is longer than a day. */
export function moment(ms, long = true) {
  const parts = long
    ? { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }
    : { hour: "2-digit", minute: "2-digit" };
  return new Date(ms).toLocaleString(locale, { ...parts, hourCycle: "h23" });
}

/** Say a share of one in percent: 0.987 is "98.7 %"; what is not whole is never said to be. */
export function share(part) {
  return `${number(Math.floor(part * 1000) / 10, 1)} %`;
}
