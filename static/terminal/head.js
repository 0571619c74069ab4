// The head of one terminal: whose it is, how it stands, who looks on, its buttons, its search; and what covers it when it is over.
import { clipboard, copy } from "./copy.js";
import { say } from "./words.js";

const STATES = { connecting: "busy", live: "ok", lost: "warning", ended: "idle" };
const FOUND = {
  decorations: {
    matchBackground: "#7a5c00", matchOverviewRuler: "#e3b450", activeMatchBackground: "#c2620a", activeMatchColorOverviewRuler: "#f07178",
  },
};
const RING_MS = 150;

export class Head {
  constructor(pane) {
    this.pane = pane;
    for (const part of pane.root.querySelectorAll("[data-part]")) this[part.dataset.part] = part;
    const act = (name, work) => pane.root.querySelectorAll(`[data-act=${name}]`).forEach((each) => each.addEventListener("click", work));
    act("copy", () => this.copy());
    act("paste", () => this.paste());
    act("find", () => this.toggleFind());
    act("close", () => pane.room.close(pane));
    act("again", () => pane.room.reopen(pane));
    act("before", () => this.find(-1));
    this.search.addEventListener("submit", (event) => {
      event.preventDefault();
      this.find(1);
    });
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.toggleFind();
      event.stopPropagation();
    });
    this.included.addEventListener("change", () => pane.room.changed(pane));
    this.title.textContent = pane.host.name;
  }

  name({ name, login }) {
    this.title.textContent = name;
    this.login.textContent = login ? say("as", login) : "";
  }

  /** Draw how it stands. */
  draw() {
    const { pane } = this;
    this.state.className = `badge-state state-${pane.lockedBy ? "warning" : STATES[pane.state]}`;
    this.state.textContent = pane.lockedBy ? say("lockedShort") : pane.words || say(pane.state);
    this.recorded.hidden = !pane.recording || pane.state === "ended";
    this.watchers.hidden = !pane.watchers?.length;
    this.watchers.textContent = pane.watchers?.length ? say("watchedBy", pane.watchers.join(", ")) : "";
    this.reading.hidden = pane.state !== "live" || pane.mayWrite;
    pane.root.dataset.state = pane.state;
    pane.root.classList.toggle("is-locked", Boolean(pane.lockedBy));
  }

  /** A program rang the bell: no sound, a moment of light. */
  ring() {
    this.pane.root.classList.add("is-ringing");
    setTimeout(() => this.pane.root.classList.remove("is-ringing"), RING_MS);
  }

  async copy() {
    const words = await copy(this.pane.screen.terminal);
    this.pane.bars.tell("idle", [words], { name: "copy" });
    this.pane.screen.terminal.focus();
  }

  async paste() {
    const text = await clipboard();
    this.pane.screen.terminal.focus();
    if (text === null) this.pane.bars.tell("idle", [say("pasteRefused")], { name: "copy" });
    else this.pane.room.pasted(this.pane, text);
  }

  toggleFind() {
    const { finder, terminal } = this.pane.screen;
    this.search.hidden = !this.search.hidden;
    this.counting ??= finder.onDidChangeResults(({ resultIndex, resultCount }) => {
      this.count.textContent = resultCount ? say("nOfM", resultIndex + 1, resultCount) : say("noMatches");
    });
    if (!this.search.hidden) return this.search.elements.q.select();
    finder.clearDecorations();
    return terminal.focus();
  }

  find(direction) {
    const { finder } = this.pane.screen;
    const words = this.search.elements.q.value;
    if (words) finder[direction > 0 ? "findNext" : "findPrevious"](words, FOUND);
  }

  over(words) {
    this.cover.hidden = false;
    this.farewell.textContent = words;
    const { id } = this.pane.host;
    this.hostLink.hidden = !id;
    if (id) this.hostLink.href = this.pane.room.config.host_url.replace("/0/", `/${id}/`);
  }
}
