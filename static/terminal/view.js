// How terminals are shown: side by side, over the whole screen, in which colours and how large, spoken to a screen reader.
import { keepLooks, looks } from "./kept.js";

export class View {
  constructor(room) {
    this.room = room;
    const { root } = room;
    const find = (name) => root.querySelector(`[data-view=${name}]`);
    this.split = find("split");
    this.full = find("full");
    // A page with one terminal has no such button.
    this.split?.addEventListener("click", () => this.toggleSplit());
    this.full.hidden = !document.fullscreenEnabled;
    this.full.addEventListener("click", () => this.toggleFull());
    document.addEventListener("fullscreenchange", () => this.full.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement))));
    find("smaller").addEventListener("click", () => this.set({ fontSize: looks.fontSize - 1 }));
    find("larger").addEventListener("click", () => this.set({ fontSize: looks.fontSize + 1 }));
    const theme = find("theme");
    theme.value = looks.theme;
    theme.addEventListener("change", () => this.set({ theme: theme.value }));
    const reader = find("reader");
    reader.checked = looks.reader;
    reader.addEventListener("change", () => this.set({ reader: reader.checked }));
    // The portal's own switch between light and dark.
    document.addEventListener("adminset:theme", () => this.set({}));
  }

  set(changes) {
    keepLooks(changes);
    for (const pane of this.room.panes) pane.screen.set(looks);
  }

  get isSplit() {
    return this.room.root.classList.contains("is-split");
  }

  toggleSplit(on = !this.isSplit) {
    this.room.root.classList.toggle("is-split", on);
    this.split.setAttribute("aria-pressed", String(on));
    this.split.classList.toggle("active", on);
    this.room.activate(this.room.active);
  }

  async toggleFull() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else {
      await this.room.root.requestFullscreen();
      // Where the browser can: Ctrl-W and Escape are the shell's then (Escape held long leaves).
      await navigator.keyboard?.lock?.().catch(() => {});
    }
    return this.room.active?.screen.terminal.focus();
  }
}
