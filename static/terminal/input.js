// What keyboard, mouse and clipboard say to a terminal, and where that goes: to the program, to the page, to a question that is open.
import { isReport } from "./hostile.js";
import { wishOf } from "./keys.js";
import { catchPastes } from "./paste.js";

// For hands without a keyboard; arrows as the program wants them.
const KEYS = { escape: "\x1b", tab: "\t", interrupt: "\x03", end: "\x04" };
const ARROWS = { up: "A", down: "B", right: "C", left: "D" };

export function listen(pane, box) {
  const { terminal } = pane.screen;
  terminal.attachCustomKeyEventHandler((event) => press(pane, event));
  terminal.onData((text) => typed(pane, text));
  // Where the mouse is, for programs that know it as bytes only.
  terminal.onBinary((text) => pane.send(Uint8Array.from(text, (sign) => sign.charCodeAt(0))));
  catchPastes(box, (text) => pane.bars.question || pane.room.pasted(pane, text));
  // The keys of the portal's pages (Ctrl-K, /, j ...) are the shell's in here.
  box.addEventListener("keydown", (event) => event.stopPropagation());
  box.addEventListener("focusin", () => pane.room.focused(pane));
  for (const button of pane.root.querySelectorAll("[data-key]")) button.addEventListener("click", () => touch(pane, button.dataset.key));
}

/** Take a key of the row for touch screens. */
function touch(pane, name) {
  const { terminal } = pane.screen;
  const before = terminal.modes.applicationCursorKeysMode ? "\x1bO" : "\x1b[";
  typed(pane, KEYS[name] || before + ARROWS[name]);
  terminal.focus();
}

/** Take a key; false where the terminal is to leave it alone. */
function press(pane, event) {
  if (pane.bars.key(event)) return false;
  const wish = wishOf(event);
  if (!wish) return true;
  if (wish !== "leave") event.preventDefault();
  if (wish !== "leave" && event.type === "keydown") pane.room.wish(pane, wish);
  return false;
}

/** Take what somebody typed, or what the terminal answers to a program by itself: that is for this program only. */
function typed(pane, text) {
  if (pane.screen.parsing && isReport(text)) {
    if (!pane.link?.flow.replays) pane.send(text);
  } else if (!pane.bars.question) pane.room.typed(pane, text);
}
