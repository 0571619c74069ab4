// One terminal on a page: xterm.js with our styles, themes and widths, deaf to hostile output. Terminals, watching and replay share it.
import { Terminal } from "../vendor/xterm/xterm.js";
import { FitAddon } from "../vendor/xterm/addon-fit.js";
import { SearchAddon } from "../vendor/xterm/addon-search.js";
import { Unicode11Addon } from "../vendor/xterm/addon-unicode11.js";
import { defuse } from "./hostile.js";
import { withSheets } from "./styles.js";
import { colours } from "./themes.js";

const FONT = getComputedStyle(document.documentElement).getPropertyValue("--font-mono").trim() || "monospace";
const SCROLLBACK_LINES = 5000;

export class Screen {
  /** Draw into `box`; `fixed`: {columns, rows} of somebody else's terminal, to which the box does not matter. */
  constructor(box, { theme = "auto", fontSize = 14, fixed = null, reader = false } = {}) {
    this.box = box;
    this.fixed = fixed;
    // Bytes that were handed over and not yet parsed.
    this.parsing = 0;
    this.terminal = new Terminal({
      // For widths of Unicode 11 and for marking what a search finds.
      allowProposedApi: true,
      cols: fixed?.columns ?? 80,
      rows: fixed?.rows ?? 24,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily: FONT,
      fontSize,
      // At 1 the underscores of common fonts are cut off.
      lineHeight: 1.1,
      linkHandler: { activate: () => {} },
      macOptionClickForcesSelection: true,
      // What a program prints in a colour is to be read, whatever the theme makes of that colour.
      minimumContrastRatio: 4.5,
      rightClickSelectsWord: false,
      screenReaderMode: reader,
      scrollback: SCROLLBACK_LINES,
      windowOptions: {},
    });
    this.fitting = new FitAddon();
    this.finder = new SearchAddon();
    for (const addon of [this.fitting, this.finder, new Unicode11Addon()]) this.terminal.loadAddon(addon);
    this.terminal.unicode.activeVersion = "11";
    defuse(this.terminal);
    withSheets(() => this.terminal.open(box));
    this.paint(theme);
    if (!fixed) this.fit();
  }

  get size() {
    return { columns: this.terminal.cols, rows: this.terminal.rows };
  }

  /** Draw bytes; `parsed()` comes once they are on the screen. */
  write(bytes, parsed) {
    this.parsing += bytes.length;
    this.terminal.write(bytes, () => {
      this.parsing -= bytes.length;
      parsed?.();
    });
  }

  /** Take the size of the box, if that is to be seen. */
  fit() {
    if (!this.fixed && this.box.clientHeight > 0) this.fitting.fit();
  }

  /** Take the size of somebody else's terminal. */
  become(columns, rows) {
    this.fixed = { columns, rows };
    this.terminal.resize(columns, rows);
  }

  /** Take the colours of a theme, what lies around the last line included. */
  paint(theme) {
    const found = colours(theme);
    this.terminal.options.theme = found;
    this.box.style.backgroundColor = found.background;
  }

  set({ theme, fontSize, reader }) {
    const { options } = this.terminal;
    if (theme) this.paint(theme);
    if (fontSize) options.fontSize = fontSize;
    if (reader !== undefined) options.screenReaderMode = reader;
    this.fit();
  }

  /** All that stands on the screen and above it, without the blanks behind; for copying, and for tests. */
  text() {
    const { active } = this.terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, at) => active.getLine(at).translateToString(true));
    return lines.join("\n").trimEnd();
  }

  dispose() {
    this.terminal.dispose();
  }
}
