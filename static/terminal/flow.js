// How far the output of a terminal has come: what was received, what is drawn, and what the host is told of it so that it never runs ahead.

const ACK_BYTES = 64 * 1024;
const ACK_MS = 100;
// What is kept of the output while nobody sees the page.
const MOST_HELD = 2 * 1024 * 1024;
const RESET = new TextEncoder().encode("\x1bc");
const LINE_END = 10;

export class Flow {
  /** `acknowledge(count)` tells the server up to which byte the screen has drawn. */
  constructor(screen, acknowledge) {
    this.screen = screen;
    this.acknowledge = acknowledge;
    // The next byte that is expected; null: nothing came yet. `until`: so much was printed before we came.
    this.received = null;
    this.parsed = this.acked = this.until = 0;
    this.forget();
    this.life = new AbortController();
    document.addEventListener("visibilitychange", () => document.hidden || this.catchUp(), { signal: this.life.signal });
  }

  /** The server goes on from a byte, and had printed up to another when we came. */
  begin(from, until) {
    this.until = until ?? from;
    if (from !== this.received) this.jump(from);
  }

  /** Go on from another byte than the next one: what stands on the screen does not belong to it. */
  jump(from) {
    if (this.received !== null) this.screen.write(RESET);
    this.received = this.parsed = this.acked = from;
    this.forget();
  }

  print(bytes) {
    const old = this.until - this.received;
    if (document.hidden || this.held.length) return this.hold(bytes);
    if (old <= 0 || old >= bytes.length) return this.draw(bytes, (this.received += bytes.length));
    // What is new is drawn for itself: to this the terminal may answer.
    this.print(bytes.subarray(0, old));
    return this.print(bytes.subarray(old));
  }

  draw(bytes, end) {
    this.screen.write(bytes, () => {
      // What was there before a jump counts no more.
      this.parsed = Math.max(this.parsed, end);
      if (this.parsed - this.acked >= ACK_BYTES) this.ack();
      else this.timer ??= setTimeout(() => this.ack(), ACK_MS);
    });
  }

  /** A hidden page gets so few turns of the clock that the host would wait for it: its output is kept, and the newest drawn later. */
  hold(bytes) {
    this.received += bytes.length;
    this.held.push({ bytes, end: this.received });
    this.size += bytes.length;
    while (this.size > MOST_HELD) {
      this.size -= this.held.shift().bytes.length;
      this.cut = true;
    }
    if (this.received - this.acked >= ACK_BYTES) this.tell(this.received);
  }

  catchUp() {
    const { held, cut } = this;
    this.forget();
    if (cut) {
      this.screen.write(RESET);
      // The first piece may begin within a character or a control sequence: a line's end is safe.
      held[0].bytes = held[0].bytes.subarray(held[0].bytes.indexOf(LINE_END) + 1);
    }
    for (const { bytes, end } of held) this.draw(bytes, end);
  }

  forget() {
    this.held = [];
    this.size = 0;
    this.cut = false;
  }

  /** Say how far the screen has come: the host goes on only then. */
  ack() {
    this.rest();
    this.tell(Math.max(this.parsed, this.acked));
  }

  tell(count) {
    this.acked = count;
    this.acknowledge(count);
  }

  rest() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Whether the screen still shows what was printed before we came: what it answers to that was answered then. */
  get replays() {
    return this.parsed < this.until;
  }
}
