// Finds words in a text that grows, marks them without touching it (CSS highlights), and walks through them.
import { say } from "./words.js";

export class Finder {
  constructor(text, input, count) {
    Object.assign(this, { text, input, count, ranges: [], now: -1 });
    input.addEventListener("input", () => this.search());
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.step(event.shiftKey ? -1 : 1);
    });
  }

  search() {
    const wanted = this.input.value.toLowerCase();
    this.ranges = [];
    this.now = -1;
    if (wanted) this.collect(wanted);
    this.show();
    if (wanted) this.step(1);
  }

  collect(wanted) {
    const walker = document.createTreeWalker(this.text, NodeFilter.SHOW_TEXT);
    while (walker.nextNode() && this.ranges.length < 5000) {
      const node = walker.currentNode;
      const text = node.data.toLowerCase();
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, Math.min(at + wanted.length, node.length));
        this.ranges.push(range);
      }
    }
  }

  step(by) {
    if (!this.ranges.length) return;
    this.now = (this.now + by + this.ranges.length) % this.ranges.length;
    this.show();
    const spot = this.ranges[this.now].getBoundingClientRect();
    const box = this.text.getBoundingClientRect();
    this.text.scrollTop += spot.top - box.top - box.height / 2;
  }

  show() {
    const found = this.ranges.length;
    const asked = Boolean(this.input.value);
    this.count.textContent = !asked ? "" : found ? say("nOfM", this.now + 1, found) : say("noMatches");
    if (!window.Highlight || !CSS.highlights) return;
    CSS.highlights.set("search", new window.Highlight(...this.ranges));
    const here = this.ranges[this.now];
    CSS.highlights.set("search-now", here ? new window.Highlight(here) : new window.Highlight());
  }
}
