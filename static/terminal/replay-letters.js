// How large the letters of a replay are: as large as the recorded size has room for.

export const LETTERS_PX = 14;
const SMALLEST_PX = 8;
// Of a replay that fills the screen.
const LARGEST_PX = 32;
const PADDING_PX = 16;

/** Fit a terminal into its box; below the smallest letters the box scrolls. */
export function fitLetters(terminal, box, isFull) {
  const drawn = box.querySelector(".xterm-screen");
  if (!drawn?.offsetWidth) return;
  const wide = (box.clientWidth - PADDING_PX) / drawn.offsetWidth;
  const high = isFull ? (box.clientHeight - PADDING_PX) / drawn.offsetHeight : Infinity;
  const size = Math.floor(terminal.options.fontSize * Math.min(wide, high));
  terminal.options.fontSize = Math.max(Math.min(size, isFull ? LARGEST_PX : LETTERS_PX), SMALLEST_PX);
}
