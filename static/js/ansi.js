// Terminal text into elements: colours as classes, lines written over as a terminal does, every other control sequence dropped; text is only ever text.

const TOKEN = /(?:\u001b\[|\u009b)([0-?]{0,64})[ -/]{0,8}([@-~])|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]{0,4096}(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]{0,8}[0-~]?|\r{0,16}\n|[\r\b]|[\u0000-\u0007\u000b\u000c\u000e-\u001f\u007f-\u009f]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// What may be the start of a sequence whose end comes with the next piece of text.
const UNFINISHED = /(?:(?:\u001b\[|\u009b)[0-?]{0,64}[ -/]{0,8}|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]{0,4096}\u001b?|\u001b[ -/]{0,8}|\r{1,16})$/;
// A line that grows beyond so many signs, or changes of colour, is not written over any more.
const LONG_LINE = 16384;
const MOST_PARTS = 500;
const FLAGS = { 1: "bold", 2: "faint", 3: "italic", 4: "underline" };

export class AnsiWriter {
  constructor() {
    Object.assign(this, { rest: "", line: [], length: 0, at: 0, open: null });
    this.look = { color: 0, back: 0, flags: new Set() };
  }

  /** Append a piece of output to an element; pieces may end anywhere, even within a control sequence. */
  write(piece, target) {
    let text = this.rest + piece;
    this.rest = text.match(UNFINISHED)?.[0] ?? "";
    text = text.slice(0, text.length - this.rest.length);
    this.done = [];
    let from = 0;
    for (const match of text.matchAll(TOKEN)) {
      this.put(text.slice(from, match.index));
      from = match.index + match[0].length;
      this.obey(match);
    }
    this.put(text.slice(from));
    // The line that is still open is drawn anew: it may be written over.
    this.open?.remove();
    this.draw(this.done, target);
    this.open = document.createElement("span");
    this.draw(this.line, this.open);
    target.append(this.open);
  }

  obey([token, codes, verb]) {
    if (token.endsWith("\n")) this.commit("\n");
    else if (token === "\r") this.at = 0;
    else if (token === "\b") this.at = Math.max(this.at - 1, 0);
    else if (verb === "m") this.style(codes);
    else if (verb === "K") this.erase(codes);
    else if (/[\u200e-\u2069]/.test(token)) this.put(`[U+${token.charCodeAt(0).toString(16).toUpperCase()}]`);
  }

  commit(end) {
    this.done.push(...this.line, { text: end, look: "" });
    this.line = [];
    this.length = this.at = 0;
  }

  put(text) {
    if (!text) return;
    const part = { text, look: this.classes() };
    if (this.at >= this.length) this.line.push(part);
    else this.line = [...cut(this.line, 0, this.at), part, ...cut(this.line, this.at + text.length, this.length)];
    this.at += text.length;
    this.length = Math.max(this.length, this.at);
    if (this.length > LONG_LINE || this.line.length > MOST_PARTS) this.commit("");
  }

  erase(codes) {
    if (codes === "1") return;
    if (codes === "2") this.at = 0;
    this.line = cut(this.line, 0, this.at);
    this.length = Math.min(this.length, this.at);
  }

  draw(parts, target) {
    for (let number = 0; number < parts.length; number += 1) {
      const look = parts[number].look;
      let text = parts[number].text;
      while (parts[number + 1]?.look === look) text += parts[++number].text;
      if (!look) target.append(text);
      else target.appendChild(Object.assign(document.createElement("span"), { className: look, textContent: text }));
    }
  }

  classes() {
    const { color, back, flags } = this.look;
    return [color && `ansi-${color}`, back && `ansi-bg-${back}`, ...[...flags].map((flag) => `ansi-${flag}`)].filter(Boolean).join(" ");
  }

  style(text) {
    const codes = text.split(/[;:]/).map(Number);
    for (let number = 0; number < codes.length; number += 1) {
      const code = codes[number];
      // 256 colours: the first 16 are known; others, and true colours, stay as they are.
      if (code === 38 || code === 48) {
        const known = codes[number + 1] === 5 && codes[number + 2] < 16 ? codes[number + 2] : -1;
        if (known >= 0) this.style(String((code === 38 ? 30 : 40) + (known < 8 ? known : known + 52)));
        number += codes[number + 1] === 5 ? 2 : 4;
      } else if (code === 0) this.look = { color: 0, back: 0, flags: new Set() };
      else if (FLAGS[code]) this.look.flags.add(FLAGS[code]);
      else if (code === 22) ["bold", "faint"].forEach((flag) => this.look.flags.delete(flag));
      else if (code === 23 || code === 24) this.look.flags.delete(FLAGS[code - 20]);
      else if (code === 39) this.look.color = 0;
      else if (code === 49) this.look.back = 0;
      else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) this.look.color = code;
      else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) this.look.back = code;
    }
  }
}

/** Give the parts of a line between two columns. */
function cut(parts, from, to) {
  const found = [];
  let at = 0;
  for (const { text, look } of parts) {
    const piece = text.slice(Math.max(from - at, 0), Math.max(to - at, 0));
    if (piece) found.push({ text: piece, look });
    at += text.length;
  }
  return found;
}
