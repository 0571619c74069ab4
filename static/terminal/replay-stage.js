// The screen of a replay and the moment that stands on it: shows what happened up to a later one, or begins anew.

// Characters that the screen has not drawn yet.
const MOST_AHEAD = 1024 * 1024;

export class Stage {
  constructor(recording, screen, size) {
    Object.assign(this, { recording, screen, size });
    this.at = 0;
    // The number of the event that comes next.
    this.next = 0;
  }

  get isOver() {
    return this.recording.atEnd && !this.recording.has(this.next) && this.at >= this.recording.length;
  }

  /** Give the event that comes next, undefined behind the last. */
  async following() {
    return this.recording.has(this.next) ? this.recording.at(this.next) : this.recording.get(this.next);
  }

  /** Empty the screen and begin anew. */
  async rewind() {
    // What was handed over before is drawn before the screen is emptied, and not after.
    await this.settled();
    if (this.recording.gone) this.recording.clear();
    this.screen.terminal.reset();
    this.screen.become(this.size.columns, this.size.rows);
    this.next = 0;
    this.at = 0;
  }

  /** Write what happened up to a moment, no faster than the screen draws, for as long as it is `wanted()`. */
  async show(until, wanted) {
    for (;;) {
      const event = await this.following();
      if (!wanted()) return;
      if (!event || event.at > until) break;
      this.next += 1;
      this.at = event.at;
      await this.put(event);
    }
    this.at = until;
  }

  async put({ kind, text }) {
    if (kind === "o") {
      this.screen.write(text);
      if (this.screen.parsing > MOST_AHEAD) await this.settled();
    } else if (kind === "r") {
      const [columns, rows] = text.split("x").map(Number);
      await this.settled();
      if (columns > 0 && rows > 0) this.screen.become(columns, rows);
    }
  }

  /** Wait until all that was handed over is drawn. */
  settled() {
    return new Promise((resolve) => this.screen.write("", resolve));
  }
}
