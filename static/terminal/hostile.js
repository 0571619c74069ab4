// What a host may print to fool or harm whoever looks at it, and what a clipboard may hold: none of it has an effect.
//
// The page trusts no byte of a terminal: it draws characters, colours and the cursor, and that is all (docs/terminal.md has the list).

// Titles (0, 1, 2), colours of the palette, asked for or set (4, 10-19, 104-119), directories (7), links (8), notices (9, 777),
// the clipboard (52), marks and files of other terminals (133, 633, 1337).
const OSC = [0, 1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 50, 52, 104, 105, 110, 111, 112, 117, 119, 133, 633, 777, 1337];
// Window operations and reports of the title; printing.
const CSI = [{ final: "t" }, { prefix: ">", final: "t" }, { final: "i" }, { prefix: "?", final: "i" }];
// What is done as often as its number says: `CSI 2147483647 S` would hold the page for minutes.
const COUNTED = [
  ..."@ILMPSTXZb".split("").map((final) => ({ final })),
  { intermediates: " ", final: "@" },
  { intermediates: " ", final: "A" },
  { intermediates: "'", final: "}" },
  { intermediates: "'", final: "~" },
];
const MOST_TIMES = 5000;

/** Take the teeth out of a terminal's parser; what is named here is read to its end and dropped. */
export function defuse(terminal) {
  const { parser } = terminal;
  for (const number of OSC) parser.registerOscHandler(number, () => true);
  for (const id of CSI) parser.registerCsiHandler(id, () => true);
  for (const id of COUNTED) parser.registerCsiHandler(id, (params) => params.flat().some((times) => times > MOST_TIMES));
  // A program's question how something is set: the answer would be typed at the prompt. xterm.js knows no other DCS, and no APC, PM or SOS.
  parser.registerDcsHandler({ intermediates: "$", final: "q" }, () => true);
}

/**
 * Make a text fit to be pasted: without control characters but tab and line end. So it cannot end a bracketed paste (`ESC [ 201 ~`),
 * press Ctrl-C, or hide what it types; and what turns the reading direction round is gone as well.
 */
export function cleaned(text) {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/\x1b\[20[01]~/g, "")
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}

// What a terminal answers by itself when a program asks it: device attributes, the cursor's place, the state of a mode.
const REPORT = /^(\x1b\[[?>]?[\d;]*[cRn]|\x1b\[\??[\d;]*\$y|\x1bP[^\x1b]*\x1b\\)+$/;
// What it says about focus and mouse.
const LOCAL = /^(\x1b\[[IO]|\x1b\[<[\d;]+[Mm]|\x1b\[M[^]{3})+$/;

/** Whether a text can only be such an answer; F3 with a modifier looks like one. */
export const isReport = (text) => REPORT.test(text);

/** Whether a text is about this one screen only: where its mouse is, whether it has the focus. */
export const isLocal = (text) => LOCAL.test(text);
