// The sentences of the files pages, and sizes in words.
import { sentences } from "../js/words.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export const say = sentences("[data-files-words]");

/** Give a number of bytes with a unit. */
export function sized(bytes) {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}
