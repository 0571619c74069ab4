// Searches a long output on the server, line by line, and walks through the lines that have the words.
import { say } from "./words.js";

const MOST_HITS = 2000;

export class LogSearch {
  /** `jump(offset)` shows the line of a byte and gives the element that begins with it. */
  constructor(root, jump) {
    Object.assign(this, { root, jump, hits: [], now: -1, round: 0, over: true });
    this.input = root.querySelector("[data-find]");
    this.count = root.querySelector("[data-find-count]");
    let waiting = 0;
    this.input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.search(), 400);
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      clearTimeout(waiting);
      if (this.wanted === this.input.value) this.step(event.shiftKey ? -1 : 1);
      else this.search();
    });
    root.querySelector("[data-find-back]")?.addEventListener("click", () => this.step(-1));
    root.querySelector("[data-find-on]")?.addEventListener("click", () => this.step(1));
  }

  async search() {
    const round = ++this.round;
    Object.assign(this, { wanted: this.input.value, hits: [], now: -1, over: false });
    this.mark(null);
    this.show();
    let place = this.wanted ? { offset: 0, line: 1 } : null;
    while (place && this.hits.length < MOST_HITS) {
      const found = await this.ask(place);
      if (round !== this.round || !found) return;
      this.hits.push(...found.hits);
      this.size = found.size;
      place = found.next;
      this.show(place);
      if (this.now < 0 && this.hits.length) await this.step(1);
    }
    this.over = !place;
    this.show();
  }

  async ask({ offset, line }) {
    const url = new URL(this.root.dataset.searchUrl, window.location.href);
    for (const [name, value] of Object.entries({ q: this.wanted, offset, line })) url.searchParams.set(name, value);
    const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
    return answer?.ok ? answer.json() : null;
  }

  async step(by) {
    if (!this.hits.length) return;
    this.now = (this.now + by + this.hits.length) % this.hits.length;
    this.show();
    this.mark(await this.jump(this.hits[this.now].offset));
  }

  show(place) {
    const found = this.hits.length;
    let words = "";
    if (place && this.now < 0) words = say("searchingNOfM", place.offset, this.size);
    else if (found) words = say(this.over ? "lineNOfM" : "lineNOfMore", this.hits[Math.max(this.now, 0)].line, this.now + 1, found);
    else if (this.wanted && this.over) words = say("noMatches");
    this.count.textContent = words;
  }

  /** Mark the words in an element, and the first of them as the one that was looked for; the text itself is not touched. */
  mark(node) {
    if (!window.Highlight || !CSS.highlights) return;
    const ranges = node ? rangesOf(node, this.wanted.toLowerCase()) : [];
    CSS.highlights.set("search", new window.Highlight(...ranges.slice(1)));
    CSS.highlights.set("search-now", new window.Highlight(...ranges.slice(0, 1)));
  }
}

function rangesOf(root, wanted) {
  const found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() && found.length < 500) {
    const node = walker.currentNode;
    const text = node.data.toLowerCase();
    for (let at = text.indexOf(wanted); at >= 0 && found.length < 500; at = text.indexOf(wanted, at + wanted.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, Math.min(at + wanted.length, node.length));
      found.push(range);
    }
  }
  return found;
}
