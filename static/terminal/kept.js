// What the browser keeps: how terminals look (for good), and which ones this page holds (as long as its tab is open, for a reload).

const LOOKS = "adminset-terminal-looks";
const HELD = `adminset-terminals ${location.pathname}${location.search}`;
const SIZES = [10, 24];

function read(storage, name, otherwise) {
  try {
    return JSON.parse(storage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(storage, name, value) {
  try {
    storage.setItem(name, JSON.stringify(value));
  } catch { /* storage is shut: for this page only then */ }
}

const found = read(localStorage, LOOKS, {});
export const looks = {
  theme: typeof found.theme === "string" ? found.theme : "auto",
  fontSize: fitting(found.fontSize),
  reader: found.reader === true,
};

function fitting(size) {
  return Math.min(Math.max(Number(size) || 14, SIZES[0]), SIZES[1]);
}

/** Change how terminals look; give how that is now. */
export function keepLooks(changes) {
  Object.assign(looks, changes);
  looks.fontSize = fitting(looks.fontSize);
  write(localStorage, LOOKS, looks);
  return looks;
}

/** The sessions that this page held before it was loaded anew. */
export function heldBefore() {
  const list = read(sessionStorage, HELD, []);
  return Array.isArray(list) ? list : [];
}

export function hold(sessions) {
  write(sessionStorage, HELD, sessions);
}
