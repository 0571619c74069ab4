// Terminal text into a <pre>: colours as classes, every other control sequence dropped; text is only ever text.

const SEQUENCE = /\u001b\[([0-9;:?]*)([A-Za-z])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\-_]|[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f]/g;
// The start of a sequence whose end comes with the next piece of text.
const UNFINISHED = /\u001b(?:\[[0-9;:?]*|\][^\u0007\u001b]*)?$/;

export class AnsiWriter {
  constructor(target) {
    this.target = target;
    this.rest = "";
    this.color = 0;
    this.bold = false;
  }

  /** Append a piece of output; pieces may end anywhere, even within a control sequence. */
  write(piece) {
    let text = this.rest + piece;
    const unfinished = text.match(UNFINISHED);
    this.rest = unfinished && unfinished[0].length < 256 ? unfinished[0] : "";
    text = text.slice(0, text.length - this.rest.length).replaceAll("\r\n", "\n").replace(/\r(?=\n|$)/g, "");
    const parts = document.createDocumentFragment();
    let from = 0;
    for (const match of text.matchAll(SEQUENCE)) {
      this.put(parts, text.slice(from, match.index));
      from = match.index + match[0].length;
      if (match[2] === "m") this.style(match[1]);
    }
    this.put(parts, text.slice(from));
    this.target.append(parts);
  }

  put(parts, text) {
    if (!text) return;
    if (!this.color && !this.bold) {
      parts.append(text);
      return;
    }
    const span = document.createElement("span");
    span.className = [this.color && `ansi-${this.color}`, this.bold && "ansi-bold"].filter(Boolean).join(" ");
    span.textContent = text;
    parts.append(span);
  }

  style(codes) {
    for (const code of codes.split(/[;:]/).map(Number)) {
      if (code === 38 || code === 48) return;
      if (code === 0) [this.color, this.bold] = [0, false];
      else if (code === 1) this.bold = true;
      else if (code === 22) this.bold = false;
      else if (code === 39) this.color = 0;
      else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) this.color = code;
    }
  }
}
