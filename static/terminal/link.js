// The web socket of one terminal: what is typed goes out, output and words come in, and a way back when the network was gone.
import { comeBack } from "./comeback.js";
import { Flow } from "./flow.js";
import { Outbox } from "./outbox.js";
import { say } from "./words.js";

// Proxies close what is silent for a minute.
const BEAT_MS = 20_000;
// A network that lets nothing through says nothing either.
const CONNECT_MS = 8000;
// The sign-in is over, not allowed, gone: no other try helps.
const FINAL = new Set([4401, 4403, 4404]);
// The portal goes down, and says so (RFC 6455's register: "service restart").
const RESTARTS = 1012;

export class Link {
  /**
   * `session`: {socket, ticket_url} and what else the portal said of it; `away`: for how many seconds its shell is kept.
   * `take(message)` gets what the server says, `state(word, words)` how it stands, `over(words)` the end.
   */
  constructor(session, screen, { away, take, state, over }) {
    Object.assign(this, { session, screen, away, take, state, over });
    this.flow = new Flow(screen, (n) => this.tell({ t: "ack", n }));
    this.outbox = new Outbox();
    this.open = this.ended = this.restarts = false;
    this.lostAt = this.tries = 0;
    addEventListener("offline", () => this.open && this.drop(), { signal: this.flow.life.signal });
  }

  /** Go to the terminal, with a ticket, or for one first. */
  async begin(ticket) {
    if (ticket) this.connect(ticket);
    else await comeBack(this);
  }

  connect(ticket) {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${this.session.socket}`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.tell({ t: "hello", ticket, ...this.screen.size, from: this.flow.received }));
    socket.addEventListener("message", ({ data }) => {
      // One that was given up has nothing to say any more.
      if (socket !== this.socket) return;
      if (typeof data === "string") this.hear(JSON.parse(data));
      else this.flow.print(new Uint8Array(data));
    });
    socket.addEventListener("close", ({ code, reason }) => socket === this.socket && this.closed(code, reason));
    this.socket = socket;
    setTimeout(() => socket.readyState === WebSocket.CONNECTING && socket === this.socket && this.drop(), CONNECT_MS);
  }

  /** Give up a socket without waiting for its end, which a dead network never brings. */
  drop() {
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
    this.closed();
  }

  hear(message) {
    if (message.t === "end") return this.end(message.words);
    if (message.t === "ready") this.welcome(message);
    else if (message.t === "skip") this.flow.jump(message.from);
    return this.take(message);
  }

  welcome({ from, until }) {
    this.open = true;
    this.restarts = false;
    this.lostAt = this.tries = 0;
    this.flow.begin(from, until);
    clearInterval(this.beat);
    this.beat = setInterval(() => this.flow.ack(), BEAT_MS);
    this.state("live", say("live"));
  }

  tell(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Send what was typed, text or bytes; what is typed while nobody is there goes nowhere. */
  type(data) {
    if (this.open) this.outbox.put(this.socket, data);
  }

  closed(code, reason) {
    this.rest();
    if (this.ended) return;
    this.restarts ||= code === RESTARTS;
    if (FINAL.has(code)) this.end(reason || say(`code${code}`));
    else comeBack(this);
  }

  rest() {
    this.open = false;
    this.outbox.clear();
    this.flow.rest();
    clearInterval(this.beat);
  }

  /** Close the shell for good. */
  bye() {
    this.tell({ t: "bye" });
    this.end(say("closed"));
  }

  end(words) {
    if (this.ended) return;
    this.ended = true;
    this.rest();
    this.socket?.close();
    this.over(words || say("ended"));
  }
}
