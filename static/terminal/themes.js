// The colours of terminals, by name; "auto" is light or dark as the portal is.

const DARK = {
  background: "#10171f", foreground: "#d6dfe7", cursor: "#58b9d8", cursorAccent: "#10171f", selectionBackground: "#2f5568",
  black: "#1b2530", red: "#f07178", green: "#7fd18b", yellow: "#e3b450", blue: "#6fa8f5", magenta: "#c792ea", cyan: "#56c5d8", white: "#d6dfe7",
  brightBlack: "#7d8c9b", brightRed: "#ff9aa0", brightGreen: "#a4e3ad", brightYellow: "#f5d182", brightBlue: "#9cc4ff", brightMagenta: "#deb6f7", brightCyan: "#8bdde9", brightWhite: "#ffffff",
};
const LIGHT = {
  background: "#ffffff", foreground: "#1c2733", cursor: "#0b6785", cursorAccent: "#ffffff", selectionBackground: "#bfdfeb",
  black: "#1c2733", red: "#b3202f", green: "#17713f", yellow: "#835400", blue: "#1c5bb5", magenta: "#8a3fb0", cyan: "#0b6785", white: "#677686",
  brightBlack: "#586675", brightRed: "#d03546", brightGreen: "#1d854a", brightYellow: "#a06a08", brightBlue: "#2f74d6", brightMagenta: "#a14fc9", brightCyan: "#1480a5", brightWhite: "#3d4a57",
};
const SOLARIZED = {
  background: "#002b36", foreground: "#93a1a1", cursor: "#93a1a1", cursorAccent: "#002b36", selectionBackground: "#0e4b5a",
  black: "#073642", red: "#e56866", green: "#859900", yellow: "#b58900", blue: "#3295da", magenta: "#de66a0", cyan: "#2aa198", white: "#eee8d5",
  brightBlack: "#7c929a", brightRed: "#e96833", brightGreen: "#9fb300", brightYellow: "#d0a215", brightBlue: "#4aa5e6", brightMagenta: "#858ace", brightCyan: "#45bdb3", brightWhite: "#fdf6e3",
};
const PAPER = {
  background: "#faf4e6", foreground: "#3a342a", cursor: "#8a5a12", cursorAccent: "#faf4e6", selectionBackground: "#e5d5ae",
  black: "#3a342a", red: "#9d2f22", green: "#4d6a1f", yellow: "#8a5a12", blue: "#2b5f8a", magenta: "#7d3f74", cyan: "#2f6f68", white: "#756e5f",
  brightBlack: "#6b6353", brightRed: "#bb4433", brightGreen: "#597827", brightYellow: "#95631c", brightBlue: "#3873a2", brightMagenta: "#985490", brightCyan: "#357871", brightWhite: "#2a251d",
};
const CONTRAST = {
  background: "#000000", foreground: "#ffffff", cursor: "#ffff00", cursorAccent: "#000000", selectionBackground: "#005fd7",
  black: "#000000", red: "#ff6e6e", green: "#5fff5f", yellow: "#ffff5f", blue: "#8cb4ff", magenta: "#ff8cff", cyan: "#5fffff", white: "#ffffff",
  brightBlack: "#b0b0b0", brightRed: "#ff9d9d", brightGreen: "#9dff9d", brightYellow: "#ffff9d", brightBlue: "#b8d0ff", brightMagenta: "#ffb8ff", brightCyan: "#9dffff", brightWhite: "#ffffff",
};
const NAMED = { dark: DARK, light: LIGHT, solarized: SOLARIZED, paper: PAPER, contrast: CONTRAST };

/** Give the colours of a theme; of one that is not known those of "auto". */
export function colours(name) {
  return NAMED[name] || NAMED[document.documentElement.dataset.bsTheme] || DARK;
}
