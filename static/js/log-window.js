// The part of a long output that stands in the page: at most a mebibyte, with the bytes at which each piece begins and ends.
import { AnsiWriter } from "./ansi.js";

const MOST_BYTES = 1024 * 1024;
const LONG_LINE = 1000;

export class LogWindow {
  constructor(text) {
    this.text = text;
    this.clear(0);
  }

  get begin() {
    return this.parts.length ? this.parts[0].begin : this.place;
  }

  get end() {
    return this.parts.length ? this.parts[this.parts.length - 1].end : this.place;
  }

  /** Take everything out; what comes next begins at a byte. */
  clear(place) {
    this.place = place;
    this.parts = [];
    this.text.textContent = "";
    this.writer = new AnsiWriter();
  }

  /** Add what comes after the end; the beginning goes where it becomes too much. */
  append(begin, end, text) {
    const node = document.createElement("span");
    this.writer.write(text, node);
    this.text.append(node);
    this.parts.push({ begin, end, node });
    while (this.isFull()) this.parts.shift().node.remove();
    this.wrapLong(text);
    return node;
  }

  /** Add what stands before the beginning, keeping in place what one reads; the end goes where it becomes too much. */
  prepend(begin, end, text) {
    const node = document.createElement("span");
    new AnsiWriter().write(text, node);
    const { scrollHeight, scrollTop } = this.text;
    this.text.prepend(node);
    this.parts.unshift({ begin, end, node });
    this.text.scrollTop = scrollTop + this.text.scrollHeight - scrollHeight;
    while (this.isFull()) {
      this.parts.pop().node.remove();
      this.writer = new AnsiWriter();
    }
    this.wrapLong(text);
  }

  isFull() {
    return this.parts.length > 1 && this.end - this.begin > MOST_BYTES;
  }

  /** A very long line would make the page endlessly wide: then lines are wrapped, unless the reader chose. */
  wrapLong(text) {
    if (this.seenLong) return;
    this.seenLong = text.split(/[\r\n]/).some((line) => line.length > LONG_LINE);
    if (this.seenLong) this.text.dispatchEvent(new CustomEvent("adminset:long-line"));
  }
}
