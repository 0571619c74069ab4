// Pasting: cleaned, marked as a paste where the program there asked for that, and asked about where each line would be run at once.
import { cleaned } from "./hostile.js";
import { say } from "./words.js";

const SHOWN_LINES = 8;
const SHOWN_CHARACTERS = 400;

/** Let a terminal take what is pasted or dropped on it by us and not by xterm.js, which passes on what ends a bracketed paste. */
export function catchPastes(box, take) {
  const caught = (event, data) => {
    event.preventDefault();
    event.stopPropagation();
    if (data) take(data.getData("text/plain"));
  };
  box.addEventListener("paste", (event) => caught(event, event.clipboardData), true);
  box.addEventListener("drop", (event) => caught(event, null), true);
}

/** Paste into terminals, once the one that has the focus agreed where lines would run at once. */
export async function paste(text, pane, panes) {
  const clean = cleaned(text);
  if (clean.length < text.replace(/\r\n/g, "\n").length) pane.bars.tell("warning", [say("pasteCleaned")]);
  if (!clean) return;
  const lines = clean.replace(/\n$/, "").split("\n");
  const marked = panes.every((each) => each.marksPastes);
  if (clean.includes("\n") && !marked) {
    const shown = lines.slice(0, SHOWN_LINES).join("\n").slice(0, SHOWN_CHARACTERS);
    const cut = shown.length < lines.join("\n").length ? `${shown} …` : shown;
    const asked = { name: "paste", code: cut, yes: say("pasteYes"), no: say("pasteNo") };
    const agreed = await pane.bars.ask("warning", [say("pasteLines", lines.length), say("pasteWhy")], asked);
    pane.screen.terminal.focus();
    if (!agreed) return;
  }
  for (const each of panes) each.send(bracketed(clean.replace(/\n/g, "\r"), each.marksPastes));
}

const bracketed = (text, marked) => (marked ? `\x1b[200~${text}\x1b[201~` : text);
