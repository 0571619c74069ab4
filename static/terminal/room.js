// All terminals of the page: which there are, which has the focus, and what goes from one to others.
import { hold } from "./kept.js";
import { Pane } from "./pane.js";
import { paste } from "./paste.js";
import { Tabs } from "./tabs.js";
import { Together } from "./together.js";
import { View } from "./view.js";

export class Room {
  /** `opening` draws the form for a further terminal. */
  constructor(root, config) {
    this.root = root;
    this.config = config;
    this.panes = [];
    this.active = null;
    this.count = 0;
    this.place = root.querySelector("[data-panes]");
    this.empty = root.querySelector("[data-empty]");
    this.tabs = new Tabs(this, root.querySelector("[role=tablist]"));
    this.together = new Together(this, root.querySelector("[data-together]"));
    this.view = new View(this);
    // Ctrl-W closes the browser's tab, and no page can keep it from that: it can ask.
    addEventListener("beforeunload", (event) => {
      if (this.panes.some((pane) => pane.live)) event.preventDefault();
    });
  }

  /** Put a terminal on the page; its screen has its size then. */
  add(host) {
    const pane = new Pane(this, host);
    this.count += 1;
    this.panes.push(pane);
    this.tabs.add(pane);
    this.place.append(pane.root);
    this.empty.hidden = true;
    this.activate(pane, false);
    pane.show();
    pane.screen.terminal.focus();
    pane.head.draw();
    return pane;
  }

  /** Come back to a session that is open. */
  resume(session) {
    return this.add({ id: session.host, name: session.name }).join(session);
  }

  activate(pane, focus = true) {
    this.active = pane;
    for (const each of this.panes) each.root.classList.toggle("is-active", each === pane);
    this.tabs.draw();
    this.together.draw();
    for (const each of this.panes) each.screen?.fit();
    if (focus) pane?.screen?.terminal.focus();
  }

  focused(pane) {
    if (pane !== this.active) this.activate(pane, false);
  }

  step(by) {
    const at = this.panes.indexOf(this.active);
    if (at >= 0) this.activate(this.panes.at((at + by) % this.panes.length));
  }

  typed(pane, text) {
    for (const each of this.together.targets(pane, text)) each.send(text);
  }

  pasted(pane, text) {
    return paste(text, pane, this.together.targets(pane));
  }

  wish(pane, name) {
    if (name === "copy") pane.head.copy();
    else if (name === "find") pane.head.toggleFind();
    else if (name === "tools") this.root.querySelector("[data-tools] :is(button, select):not([hidden])").focus();
    else this.step(name === "next" ? 1 : -1);
  }

  /** Something about a terminal is otherwise: draw what stands around it, and remember which are open. */
  changed() {
    this.tabs.draw();
    this.together.draw();
    if (this.config.join) return;
    hold(this.panes.filter((pane) => pane.session && pane.state !== "ended").map((pane) => pane.session));
  }

  reopen(pane) {
    this.opening.again(pane);
  }

  close(pane) {
    const at = this.panes.indexOf(pane);
    if (at < 0) return;
    pane.dispose();
    this.panes.splice(at, 1);
    this.tabs.remove(pane);
    this.empty.hidden = this.panes.length > 0;
    this.activate(this.panes[Math.min(at, this.panes.length - 1)] || null);
    this.changed();
  }
}
