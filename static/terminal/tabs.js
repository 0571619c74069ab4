// The tabs over the terminals: one for each, with its state; arrows walk, Delete closes.
import { say } from "./words.js";

const DOTS = { connecting: "busy", live: "ok", lost: "warning", ended: "idle" };

export class Tabs {
  constructor(room, list) {
    this.room = room;
    this.list = list;
    this.tabs = new Map();
    list.addEventListener("keydown", (event) => this.key(event));
  }

  add(pane) {
    const tab = document.getElementById("terminal-tab").content.firstElementChild.cloneNode(true);
    const [button, close] = tab.querySelectorAll("button");
    pane.root.id = `terminal-${this.room.count}`;
    pane.root.setAttribute("aria-label", pane.host.name);
    button.setAttribute("aria-controls", pane.root.id);
    button.querySelector("[data-name]").textContent = pane.host.name;
    close.setAttribute("aria-label", say("closeNamed", pane.host.name));
    button.addEventListener("click", () => this.room.activate(pane));
    close.addEventListener("click", () => this.room.close(pane));
    this.list.append(tab);
    this.tabs.set(pane, tab);
  }

  remove(pane) {
    this.tabs.get(pane)?.remove();
    this.tabs.delete(pane);
  }

  draw() {
    for (const [pane, tab] of this.tabs) {
      const active = pane === this.room.active;
      const button = tab.querySelector("[role=tab]");
      button.setAttribute("aria-selected", String(active));
      button.tabIndex = active ? 0 : -1;
      tab.classList.toggle("is-active", active);
      // Somebody has to answer there.
      tab.classList.toggle("is-asking", Boolean(pane.bars?.question));
      tab.querySelector("[data-dot]").className = `terminal-dot state-${pane.lockedBy ? "warning" : DOTS[pane.state]}`;
      button.title = pane.words || say(pane.state);
    }
  }

  key(event) {
    const { panes, active } = this.room;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) this.room.step(step);
    else if (event.key === "Delete") this.room.close(active);
    else if (event.key === "Home") this.room.activate(panes[0]);
    else if (event.key === "End") this.room.activate(panes.at(-1));
    else return;
    event.preventDefault();
    this.tabs.get(this.room.active)?.querySelector("[role=tab]").focus();
  }
}
