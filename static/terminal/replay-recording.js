// The events of a recording: read page by page as they are needed, kept up to a size, read again from the beginning where that was passed.

// Characters that stay in memory, so that going back needs no server.
const MOST_KEPT = 32 * 1024 * 1024;

export class Recording {
  constructor(url) {
    this.url = url;
    // As far as is known; it grows with what is read.
    this.length = 0;
    this.clear();
  }

  /** Forget what was read. */
  clear() {
    this.events = [];
    this.after = "";
    this.kept = 0;
    // Events that were let go, in front of those that are kept.
    this.gone = 0;
    this.atEnd = false;
    this.broken = false;
  }

  /** Whether an event can be had without asking the server. */
  has(number) {
    return number >= this.gone && number < this.gone + this.events.length;
  }

  /** Give an event that is here, by its number from 0. */
  at(number) {
    return this.events[number - this.gone];
  }

  /** Give an event, undefined behind the last. Who wants one that was let go begins anew with `clear`. */
  async get(number) {
    while (!this.has(number) && !this.atEnd) await this.more();
    return this.at(number);
  }

  async more() {
    const address = this.after ? `${this.url}?after=${encodeURIComponent(this.after)}` : this.url;
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = await answer.json();
    if (this.kept > MOST_KEPT) this.release();
    for (const [at, kind, text] of page.events) {
      this.events.push({ at, kind, text });
      this.kept += text.length;
      this.length = Math.max(this.length, at);
    }
    this.after = page.after;
    this.broken = page.broken;
    this.atEnd = page.at_end;
  }

  /** Let go of what is kept: it was asked for more because all of it was played. */
  release() {
    this.gone += this.events.length;
    this.events = [];
    this.kept = 0;
  }
}
