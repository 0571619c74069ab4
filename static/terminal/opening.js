// Opening terminals: at once where nothing has to be asked, else by a form: on which hosts, as whom, and why.
import { Hosts } from "./hosts.js";
import { ask } from "../js/portal.js";
import { say } from "./words.js";

export class Opening {
  constructor(room, dialog) {
    this.room = room;
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.problem = dialog.querySelector("[data-problem]");
    this.hosts = new Hosts(dialog, room.config, () => this.judge());
    room.opening = this;
    room.root.querySelectorAll("[data-new]").forEach((button) => button.addEventListener("click", () => this.show([])));
    dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    // Wherever it is closed, the keyboard goes back to the terminal.
    dialog.addEventListener("close", () => room.active?.screen.terminal.focus());
  }

  /** Ask; `wish` is what was asked before, `words` why it did not do. */
  show(hosts, { wish = {}, words = "" } = {}) {
    const { elements } = this.form;
    elements.credential.value = wish.credential || "";
    elements.become.checked = Boolean(wish.become);
    elements.reason.value = wish.reason || "";
    this.hosts.show(hosts);
    this.say(words);
    this.judge();
    if (!this.dialog.open) this.dialog.showModal();
    // Where nothing is to be filled in, Enter opens.
    (elements.reason.required ? elements.reason : hosts.length ? elements.open : this.hosts.search).focus();
  }

  say(words) {
    this.problem.hidden = !words;
    this.problem.textContent = words;
  }

  /** A critical host wants a reason; one without a credential of its own wants one chosen. */
  judge() {
    const { elements } = this.form;
    const chosen = this.hosts.chosen();
    elements.reason.required = chosen.some((host) => host.critical);
    elements.credential.required = chosen.some((host) => host.problem);
    elements.open.disabled = !chosen.length;
    this.dialog.querySelector("[data-why]").hidden = !elements.reason.required;
  }

  send() {
    const { elements } = this.form;
    const chosen = this.hosts.chosen();
    const room = this.room.config.most - this.room.panes.filter((pane) => pane.state !== "ended").length;
    if (chosen.length > room) return this.say(say("tooMany", this.room.config.most));
    const wish = { credential: elements.credential.value, become: elements.become.checked, reason: elements.reason.value.trim() };
    this.dialog.close();
    if (chosen.length > 1) this.room.view.toggleSplit(true);
    return this.open(chosen, wish);
  }

  /** Open terminals on hosts, one after the other: each draws itself while the next is asked for. */
  async open(hosts, wish = {}) {
    for (const host of hosts) await this.one(host, wish);
  }

  async one(host, wish) {
    const pane = this.room.add(host);
    pane.wish = wish;
    const { columns, rows } = pane.screen.size;
    const form = new FormData();
    const told = { host: host.id, columns, rows, together: this.room.config.together, ...wish };
    for (const [name, value] of Object.entries(told)) if (value) form.set(name, value === true ? "on" : value);
    try {
      const session = await ask(this.room.config.open_url, { form });
      if (this.room.panes.includes(pane)) pane.join(session, session.ticket);
    } catch (refusal) {
      if (refusal.code === "proof_needed") return this.prove();
      pane.over(refusal.words);
    }
    return undefined;
  }

  /** Go where one proves who one is, and come back here. */
  prove() {
    const here = encodeURIComponent(location.pathname + location.search);
    location.assign(`${this.room.config.confirm_url}?next=${here}`);
  }

  /** Open a terminal that is over once more: at once, or by the form where something was asked or refused. */
  again(pane) {
    const { host, wish, session } = pane;
    if (!host.id) return location.reload();
    const words = session ? "" : pane.head.farewell.textContent;
    this.room.close(pane);
    if (words || host.critical || wish?.reason || !wish) return this.show([host], { wish, words });
    return this.open([host], wish);
  }
}
