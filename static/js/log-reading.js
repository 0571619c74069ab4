// Reading other parts of a long output than its end: earlier, later, from the start, at a byte; mixed into the class of live output.

import { LogWindow } from "./log-window.js";

export const reading = {
  /** More came than anybody reads as it comes: go on near the end. */
  skip({ offset }) {
    if (this.follow) this.window.clear(offset);
    this.offset = offset;
    this.draw();
  },

  /** More came than is kept: its newest lines stand below, until the end is there. */
  newest({ received, text }) {
    const box = this.root.querySelector("[data-newest]");
    if (!box) return;
    box.toggleAttribute("hidden", !received);
    const lines = box.querySelector("pre");
    new LogWindow(lines).append(0, 0, text);
    lines.scrollTop = lines.scrollHeight;
  },

  /** Ask for a piece: {from}, {before} or {at} a byte. */
  async piece(where) {
    const url = new URL(this.root.dataset.rangeUrl, window.location.href);
    for (const [name, value] of Object.entries(where)) url.searchParams.set(name, value);
    const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
    return answer?.ok ? answer.json() : null;
  },

  /** Do one thing at a time: what is asked for meanwhile is left out. */
  async alone(act) {
    if (this.busy || !this.root.dataset.rangeUrl) return null;
    this.busy = true;
    try {
      return await act();
    } finally {
      this.draw();
      // The scroll events of what was put in come first; then one may have reached the next edge already.
      requestAnimationFrame(() => requestAnimationFrame(() => {
        this.busy = false;
        this.edges();
      }));
    }
  },

  earlier() {
    return this.alone(async () => {
      const { begin } = this.window;
      const found = begin > 0 && await this.piece({ before: begin });
      if (found && this.window.begin === begin) this.window.prepend(found.offset, begin, found.text);
    });
  },

  later() {
    return this.alone(async () => {
      const { end } = this.window;
      const found = await this.piece({ from: end });
      if (found?.text && this.window.end === end) this.window.append(end, found.next, found.text);
    });
  },

  /** Show the piece that is asked for and nothing else; gives its element. */
  open(where, scroll) {
    return this.alone(async () => {
      const found = await this.piece(where);
      if (!found) return null;
      this.setFollow(false);
      this.window.clear(found.offset);
      const node = this.window.append(found.offset, found.next, found.text);
      if (scroll !== undefined) this.text.scrollTop = scroll;
      return node;
    });
  },

  /** Show the line of a byte, with what stands before and after it; gives the element that begins with the line. */
  async jump(byte) {
    for (let tries = 0; this.busy && tries < 50; tries += 1) await new Promise((go) => setTimeout(go, 40));
    return this.alone(async () => {
      const found = await this.piece({ at: byte });
      if (!found) return null;
      this.setFollow(false);
      this.window.clear(found.offset);
      const node = this.window.append(found.offset, found.next, found.text);
      const before = found.offset > 0 && await this.piece({ before: found.offset });
      if (before) this.window.prepend(before.offset, found.offset, before.text);
      this.text.scrollTop = node.offsetTop - this.text.offsetTop - this.text.clientHeight / 3;
      return node;
    });
  },

  /** Show the end, and follow it. */
  async last() {
    if (!this.isAtEnd) {
      await this.alone(async () => {
        const found = await this.piece({ before: this.offset });
        if (!found) return;
        this.window.clear(found.offset);
        this.window.append(found.offset, found.next, found.text);
      });
    }
    this.setFollow(true);
    this.toEnd();
  },
};
