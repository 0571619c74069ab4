// Live output [data-run-output]: follows the end, or shows any other part of it; of a long one only a window is in the page.
import { Finder } from "./find-text.js";
import { reading } from "./log-reading.js";
import { LogSearch } from "./log-search.js";
import { LogWindow } from "./log-window.js";
import { RunConnection } from "./run-connection.js";
import { say } from "./words.js";

class RunOutput {
  constructor(root) {
    this.root = root;
    this.text = root.querySelector("[data-text]");
    const { start, offset, rangeUrl, searchUrl, at } = root.dataset;
    const { first } = this.text.dataset;
    const before = first ? JSON.parse(first) : this.text.textContent;
    // How far the file was read: where the next message begins.
    this.offset = Number(offset) || 0;
    this.follow = true;
    this.window = new LogWindow(this.text);
    this.text.addEventListener("adminset:long-line", () => this.setWrap(true));
    const begin = Number(start) || 0;
    this.window.clear(begin);
    if (before) this.window.append(begin, this.offset, before);
    if (searchUrl && rangeUrl) new LogSearch(root, (byte) => this.jump(byte));
    else new Finder(this.text, root.querySelector("[data-find]"), root.querySelector("[data-find-count]"));
    this.buttons();
    this.toEnd();
    this.draw();
    const ways = { take: (message) => this.take(message), offset: () => this.offset, state: (word) => this.state(word) };
    if ("live" in root.dataset) this.connection = new RunConnection(root, ways);
    if (at && rangeUrl) this.jump(Number(at) || 0);
  }

  buttons() {
    const press = (name, act) => this.root.querySelector(`[data-${name}]`)?.addEventListener("click", act);
    press("follow", () => (this.follow ? this.setFollow(false) : this.last()));
    press("wrap", () => this.setWrap(!this.root.classList.contains("is-wrapped")));
    press("earlier", () => this.earlier());
    press("later", () => this.later());
    press("to-start", () => this.open({ from: 0 }, 0));
    press("to-end", () => this.last());
    this.text.addEventListener("scroll", () => this.edges(), { passive: true });
  }

  /** Scrolling up lets go of the end; scrolling back down takes hold again. Near an edge the next part is asked for. */
  edges() {
    if (this.busy) return;
    const { scrollHeight, scrollTop, clientHeight } = this.text;
    const below = scrollHeight - scrollTop - clientHeight;
    this.setFollow(below < 24 && this.isAtEnd);
    if (below < 100 && !this.isAtEnd) this.later();
    else if (scrollTop < 100 && this.window.begin > 0 && !this.follow) this.earlier();
  }

  get isAtEnd() {
    return this.window.end >= this.offset;
  }

  setFollow(on) {
    this.follow = on;
    this.root.querySelector("[data-follow]").setAttribute("aria-pressed", String(on));
  }

  setWrap(on) {
    this.root.classList.toggle("is-wrapped", on);
    this.root.querySelector("[data-wrap]").setAttribute("aria-pressed", String(on));
  }

  toEnd() {
    if (this.follow) this.text.scrollTop = this.text.scrollHeight;
  }

  state(word) {
    this.root.querySelector("[data-connection]").textContent = say(word);
    this.root.dataset.state = word;
  }

  draw() {
    const show = (name, on) => this.root.querySelector(`[data-${name}]`)?.toggleAttribute("hidden", !on);
    show("earlier", this.window.begin > 0);
    show("later", !this.isAtEnd);
  }

  /** Take one message: output, skip, newest, host or end. Output that was already read (a smaller offset) is left out. */
  take(message) {
    if (message.type === "output") return this.grow(message);
    if (message.type === "skip") return this.skip(message);
    if (message.type === "newest") return this.newest(message);
    const isEnd = message.type === "end";
    if (isEnd) {
      this.connection.end();
      this.state("finished");
    }
    const name = isEnd ? "adminset:run-end" : "adminset:run-host";
    return this.root.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: message }));
  }

  grow({ offset = this.offset, next, text }) {
    if (offset < this.offset) return;
    this.offset = next ?? offset + new TextEncoder().encode(text).length;
    // Who reads further up is not disturbed by what comes, once that is much.
    const room = this.follow || this.window.end - this.window.begin < 512 * 1024;
    if (room && this.window.end === offset) this.window.append(offset, this.offset, text);
    this.draw();
    this.toEnd();
  }
}

Object.assign(RunOutput.prototype, reading);

const start = (root) => root.querySelectorAll("[data-run-output]").forEach((each) => {
  each.runOutput ??= new RunOutput(each);
});
start(document);
document.addEventListener("htmx:load", ({ detail }) => {
  start(detail.elt);
  // On a narrow window the output stands below the hosts.
  if (detail.elt.id === "output" && window.matchMedia("(max-width: 1199.98px)").matches) detail.elt.scrollIntoView();
});
