// One terminal on the page: its head, screen and bars, and the link to its shell.
import { Bars } from "./bars.js";
import { Head } from "./head.js";
import { HEARD } from "./heard.js";
import { listen } from "./input.js";
import { looks } from "./kept.js";
import { Link } from "./link.js";
import { Screen } from "./screen.js";
import { say } from "./words.js";

const FIT_MS = 80;

export class Pane {
  /** `room` hears `typed(pane, text)`, `pasted(pane, text)`, `wish(pane, name)`, `changed(pane)`, `reopen(pane)`, `close(pane)`. */
  constructor(room, host) {
    this.room = room;
    this.host = host;
    this.session = null;
    this.state = "connecting";
    this.mayWrite = false;
    this.lockedBy = "";
    this.root = document.getElementById("terminal-pane").content.firstElementChild.cloneNode(true);
    this.head = new Head(this);
    this.bars = new Bars(this.root.querySelector("[data-bars]"), () => room.changed(this));
  }

  /** Draw the screen; the pane is on the page by now, for its size is the terminal's. */
  show() {
    const box = this.root.querySelector("[data-box]");
    this.screen = new Screen(box, looks);
    const { terminal } = this.screen;
    terminal.onBell(() => this.head.ring());
    terminal.onResize(() => this.tellSize());
    listen(this, box);
    this.sizes = new ResizeObserver(() => {
      clearTimeout(this.fitTimer);
      this.fitTimer = setTimeout(() => this.screen.fit(), FIT_MS);
    });
    this.sizes.observe(box);
  }

  /** Go to a session, with its ticket or for one. */
  join(session, ticket) {
    // The ticket is used up: a reload needs a new one.
    this.session = { ...session, ticket: undefined };
    this.link = new Link(session, this.screen, {
      away: this.room.config.away,
      take: (message) => this.hear(message),
      state: (word, words) => this.become(word, words),
      over: (words) => this.over(words),
    });
    this.head.name(session);
    return this.link.begin(ticket);
  }

  get live() {
    return this.state === "live" && this.mayWrite && !this.lockedBy;
  }

  get marksPastes() {
    return this.screen.terminal.modes.bracketedPasteMode;
  }

  hear(message) {
    const told = HEARD[message.t];
    if (told) told(this, message);
    this.head.draw();
    this.room.changed(this);
  }

  become(state, words) {
    // The server asks again when we are back.
    if (state === "lost") this.bars.forget("guard");
    this.state = state;
    this.words = words;
    this.head.draw();
    this.room.changed(this);
  }

  /** Send what was typed; nothing where it is locked, over, or only looked at. */
  send(data) {
    if (this.live) this.link.type(data);
  }

  tellSize() {
    if (this.role === "owner" && this.link?.open) this.link.tell({ t: "resize", ...this.screen.size });
  }

  over(words) {
    this.mayWrite = false;
    this.bars.clear();
    this.become("ended", say("ended"));
    this.head.over(words);
  }

  /** Take it off the page; a shell that lives is ended. */
  dispose() {
    if (this.role === "owner") this.link?.bye();
    else this.link?.end();
    this.link?.flow.life.abort();
    this.sizes?.disconnect();
    this.screen?.dispose();
    this.root.remove();
  }
}
