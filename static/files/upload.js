// One upload: begun, sent in pieces (two on their way at a time), compared as a whole on the host; it goes on after any break.
import { but, call, passes } from "./calls.js";
import { Hasher } from "./hasher.js";
import { send } from "./sending.js";
import { Refusal } from "../js/portal.js";

const AT_ONCE = 2;
const LONGEST_PAUSE = 30_000;

export class Upload {
  /** `tell(upload)` is called when anything changes; `state` is waits, moves, verifying, paused, offline, done, failed. */
  constructor({ here, worker, file, path, tell }) {
    Object.assign(this, { here, file, path, tell, replace: false, state: "waits", sent: 0, problem: null });
    this.workerAddress = worker;
    this.moving = new Map();
  }

  set(state, problem = null) {
    Object.assign(this, { state, problem });
    this.tell(this);
  }

  /** Go from wherever it stands to its end; never throws. */
  async run() {
    this.stopped = "";
    let pause = 1000;
    for (;;) {
      try {
        await this.once();
        return this.set("done");
      } catch (error) {
        const problem = error instanceof Refusal ? error : new Refusal({ code: "failed", message: String(error) });
        for (const request of this.moving.keys()) request.abort();
        if (this.stopped) return this.set(this.stopped);
        // What was compared and found wrong is read anew when somebody asks for it.
        if (problem.code === "damaged" || problem.code === "unreadable") this.forget();
        if (!passes(problem)) return this.set("failed", problem);
        this.set("offline", problem);
        const before = this.sent;
        await new Promise((later) => { setTimeout(later, problem.code === "offset" ? 100 : pause); });
        pause = this.sent > before ? 1000 : Math.min(pause * 2, LONGEST_PAUSE);
        if (this.stopped) return this.set(this.stopped);
      }
    }
  }

  forget() {
    this.hasher?.close();
    this.hasher = null;
    this.sha256 = null;
  }

  /** Stop: paused, to go on later, or stopped for good, which removes what is on the host. */
  async stop(state) {
    this.stopped = state;
    for (const request of this.moving.keys()) request.abort();
    if (state !== "stopped") return;
    this.forget();
    if (this.token) await call(`${this.here}upload/abandon/`, { token: this.token }).catch(() => {});
    this.set("stopped");
  }

  async once() {
    const { file, path, replace, here } = this;
    this.set("moves");
    // Asked before, and the answer may have been lost on its way.
    if (this.sha256 && this.token && (await this.finish().then(() => true, but("offset")))) return;
    const begun = await call(`${here}upload/`, { path, size: file.size, mark: `${file.lastModified}`, replace });
    this.token = begun.token;
    this.hasher ??= new Hasher(this.workerAddress);
    this.began = { at: performance.now(), sent: begun.offset };
    for (let start = 0; start < begun.offset; start += begun.piece_bytes) {
      const end = Math.min(start + begun.piece_bytes, begun.offset);
      await this.hasher.ask({ start, blob: file.slice(start, end), piece: false });
    }
    await this.pieces(begun.offset, begun.piece_bytes);
    this.set("verifying");
    this.sha256 ??= await this.hasher.ask({ end: true });
    await this.finish();
  }

  async finish() {
    await call(`${this.here}upload/finish/`, { token: this.token, sha256: this.sha256 });
    this.hasher?.close();
    this.hasher = null;
  }

  async pieces(from, size) {
    const going = new Set();
    this.done = from;
    for (let start = from; start < this.file.size; start += size) {
      const blob = this.file.slice(start, Math.min(start + size, this.file.size));
      const sha256 = await this.hasher.ask({ start, blob, piece: true });
      if (this.stopped) throw new Refusal({ code: this.stopped });
      while (going.size >= AT_ONCE) await Promise.race(going);
      const sending = this.send(start, blob, sha256).then(() => going.delete(sending));
      sending.catch(() => {});
      going.add(sending);
    }
    await Promise.all(going);
  }

  async send(start, blob, sha256) {
    const moved = (request, bytes) => {
      if (bytes === null) this.moving.delete(request);
      else this.moving.set(request, bytes);
      this.count();
    };
    await send({ address: `${this.here}upload/piece/?offset=${start}`, token: this.token, blob, sha256, moved });
    this.done += blob.size;
    this.count();
  }

  count() {
    this.sent = Math.min(this.done + [...this.moving.values()].reduce((sum, bytes) => sum + bytes, 0), this.file.size);
    this.tell(this);
  }
}
