// Plays a recording on a stage: by the clock, or as fast as the screen draws to where one wants to be.

// With "skip idle time" a silence is cut to this.
const IDLE_MS = 1000;
// A page that was hidden, or a slow screen, does not make the recording jump.
const LONGEST_TICK_MS = 250;

export class Player {
  /** `moved()` comes when there is something to draw beside the screen, `said(key, ...values)` when there is something to say. */
  constructor(recording, stage, { moved, said }) {
    Object.assign(this, { recording, stage, moved, said });
    this.speed = 1;
    this.skips = true;
    this.playing = false;
    // Who plays, or goes somewhere, has a turn; it stops when a newer one begins.
    this.turn = 0;
    // One at a time works on the stage.
    this.free = Promise.resolve();
  }

  /** Where the replay stands, in milliseconds. */
  get at() {
    return this.stage.at;
  }

  toggle() {
    if (this.playing) return this.pause();
    return this.stage.isOver ? this.go(0, true) : this.play();
  }

  pause() {
    this.stop();
    this.moved();
  }

  stop() {
    this.playing = false;
    this.turn += 1;
  }

  async play() {
    const turn = (this.turn += 1);
    this.playing = true;
    this.said("");
    this.moved();
    let before = performance.now();
    while (turn === this.turn) {
      const now = await new Promise(requestAnimationFrame);
      const passed = Math.min(Math.max(now - before, 0), LONGEST_TICK_MS) * this.speed;
      before = now;
      await this.work(turn, () => this.step(passed, turn));
    }
  }

  /** Go to a moment: on from here, or from the beginning again where it lies before. */
  async go(ms, thenPlay = this.playing) {
    const turn = (this.turn += 1);
    this.playing = thenPlay;
    const goal = Math.min(Math.max(ms, 0), this.recording.length);
    const late = setTimeout(() => turn === this.turn && this.said("Seeking"), 300);
    const arrived = await this.work(turn, async () => {
      if (goal < this.at) await this.stage.rewind();
      await this.stage.show(goal, () => turn === this.turn);
      await this.stage.settled();
    });
    clearTimeout(late);
    if (turn !== this.turn || !arrived) return;
    this.said("");
    this.moved();
    if (thenPlay) await this.play();
  }

  /** Do it once nobody else does something; false where the turn is over, or the recording could not be read. */
  async work(turn, act) {
    const before = this.free;
    let done;
    this.free = new Promise((resolve) => (done = resolve));
    await before;
    try {
      if (turn !== this.turn) return false;
      await act();
      return true;
    } catch {
      this.stop();
      this.said("Failed");
      this.moved();
      return false;
    } finally {
      done();
    }
  }

  /** Let some time pass; at the end of the recording it stops. */
  async step(passed, turn) {
    const event = await this.stage.following();
    if (turn !== this.turn) return;
    let until = this.at + passed;
    if (!event && until >= this.recording.length) return this.over();
    const idle = event ? event.at - this.at - IDLE_MS : 0;
    if (this.skips && idle > 0) {
      if (idle >= 1000) this.said("Skipped", Math.round(idle / 1000));
      until += idle;
    }
    await this.stage.show(until, () => turn === this.turn);
    this.moved();
  }

  over() {
    this.stop();
    this.stage.at = this.recording.length;
    this.said(this.recording.broken ? "Broken" : "");
    this.moved();
  }
}
