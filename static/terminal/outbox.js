// What was typed or pasted, on its way into a socket: never more than a little ahead of what the network takes.

const FRAME_BYTES = 64 * 1024;
const MOST_UNSENT = 256 * 1024;
const LOOK_MS = 20;
const encoder = new TextEncoder();

export class Outbox {
  constructor() {
    this.clear();
  }

  clear() {
    clearTimeout(this.timer);
    this.waiting = [];
  }

  /** Send text or bytes; Ctrl-C does not wait behind a long paste. */
  put(socket, data) {
    if (data === "\x03") this.clear();
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    for (let at = 0; at < bytes.length; at += FRAME_BYTES) this.waiting.push(bytes.subarray(at, at + FRAME_BYTES));
    this.work(socket);
  }

  work(socket) {
    clearTimeout(this.timer);
    while (this.waiting.length && socket.bufferedAmount < MOST_UNSENT) socket.send(this.waiting.shift());
    if (this.waiting.length) this.timer = setTimeout(() => this.work(socket), LOOK_MS);
  }
}
