// The hosts of the opening form: those with which the page came, each with a box; and a search for further ones.
import { ask } from "../js/portal.js";
import { say } from "./words.js";

const WAIT_MS = 200;

export class Hosts {
  constructor(dialog, config, changed) {
    this.config = config;
    this.changed = changed;
    this.list = dialog.querySelector("[data-hosts]");
    this.results = dialog.querySelector("[data-results]");
    this.search = dialog.querySelector("[data-host-search]");
    this.search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), WAIT_MS);
    });
    this.search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.results.querySelector("button")?.click();
    });
    this.list.addEventListener("change", () => changed());
  }

  /** Show hosts, ticked as long as they are no more than may be open. */
  show(hosts) {
    this.hosts = [];
    this.list.replaceChildren();
    this.results.replaceChildren();
    this.search.value = "";
    hosts.forEach((host, at) => this.add(host, at < this.config.most));
    if (!hosts.length) this.look();
  }

  add(host, ticked = true) {
    if (this.hosts.includes(host)) return;
    this.hosts.push(host);
    const line = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: ticked, className: "form-check-input" });
    const text = document.createElement("span");
    text.append(Object.assign(document.createElement("strong"), { textContent: host.name }), ` ${host.address || ""}`);
    const notes = [host.critical && say("critical", host.critical), host.problem].filter(Boolean);
    for (const note of notes) text.append(Object.assign(document.createElement("span"), { className: "help", textContent: note }));
    line.append(box, text);
    this.list.append(line);
    this.changed();
  }

  /** The hosts that are ticked. */
  chosen() {
    const boxes = [...this.list.querySelectorAll("input")];
    return (this.hosts || []).filter((_, at) => boxes[at]?.checked);
  }

  async look() {
    const asked = this.search.value;
    const url = `${this.config.hosts_url}?${new URLSearchParams({ q: asked })}`;
    let found;
    try {
      found = (await ask(url)).hosts;
    } catch (refusal) {
      return this.results.replaceChildren(refusal.words);
    }
    // An older answer that comes late.
    if (asked !== this.search.value) return undefined;
    return this.results.replaceChildren(...(found.length ? found.map((host) => this.choice(host)) : [say("noHosts")]));
  }

  choice(host) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-quiet" });
    button.textContent = host.address ? `${host.name} (${host.address})` : host.name;
    button.addEventListener("click", () => {
      this.add(host);
      button.remove();
    });
    return button;
  }
}
