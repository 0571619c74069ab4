// Live output [data-run-output]: a web socket brings text and states; when it fails, the address is read each second.
import { AnsiWriter } from "./ansi.js";
import { Finder } from "./find-text.js";
import { say } from "./words.js";

class RunOutput {
  constructor(root) {
    this.root = root;
    this.text = root.querySelector("[data-text]");
    this.offset = Number(root.dataset.offset) || 0;
    this.ended = false;
    this.follow = true;
    const before = this.text.textContent;
    this.text.textContent = "";
    this.writer = new AnsiWriter(this.text);
    if (before) this.writer.write(before);
    new Finder(this.text, root.querySelector("[data-find]"), root.querySelector("[data-find-count]"));
    this.buttons();
    this.toEnd();
    if ("live" in root.dataset) this.connect();
  }

  buttons() {
    const follow = this.root.querySelector("[data-follow]");
    const setFollow = (on) => {
      this.follow = on;
      follow.setAttribute("aria-pressed", String(on));
    };
    follow.addEventListener("click", () => {
      setFollow(!this.follow);
      this.toEnd();
    });
    // Scrolling up lets go of the end; scrolling back down takes hold again.
    this.text.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.text;
      setFollow(scrollHeight - scrollTop - clientHeight < 24);
    }, { passive: true });
    const wrap = this.root.querySelector("[data-wrap]");
    wrap.addEventListener("click", () => {
      wrap.setAttribute("aria-pressed", String(this.root.classList.toggle("is-wrapped")));
    });
  }

  toEnd() {
    if (this.follow) this.text.scrollTop = this.text.scrollHeight;
  }

  state(word) {
    this.root.querySelector("[data-connection]").textContent = say(word);
    this.root.dataset.state = word;
  }

  connect() {
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    const path = this.root.dataset.ws;
    if (!path) return this.poll();
    const socket = new WebSocket(`${scheme}://${window.location.host}${path}?offset=${this.offset}`);
    socket.addEventListener("open", () => this.state("live"));
    socket.addEventListener("message", (event) => this.take(JSON.parse(event.data)));
    socket.addEventListener("close", () => this.ended || this.poll());
    this.socket = socket;
    return undefined;
  }

  /** Take one message: output, host or end. Output that was already read (a smaller offset) is left out. */
  take(message) {
    const follow = this.follow;
    if (message.type === "output") {
      if (message.offset !== undefined && message.offset < this.offset) return;
      this.writer.write(message.text);
      this.offset = message.next ?? (message.offset ?? this.offset) + new TextEncoder().encode(message.text).length;
      this.follow = follow;
      this.toEnd();
    } else {
      if (message.type === "end") this.finish();
      const name = message.type === "end" ? "adminset:run-end" : "adminset:run-host";
      this.root.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: message }));
    }
  }

  finish() {
    this.ended = true;
    this.state("finished");
    this.socket?.close();
  }

  async poll() {
    this.state("polling");
    while (!this.ended && this.root.isConnected) {
      try {
        const url = new URL(this.root.dataset.url, window.location.href);
        url.searchParams.set("offset", this.offset);
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (answer.ok) {
          const body = await answer.json();
          for (const message of body.messages || [body]) this.take(message);
        } else if (answer.status === 403 || answer.status === 404) return;
      } catch { /* away for a moment: the next second asks again */ }
      await new Promise((go) => setTimeout(go, 1000));
    }
  }
}

const start = (root) => root.querySelectorAll("[data-run-output]").forEach((each) => {
  each.runOutput ??= new RunOutput(each);
});
start(document);
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
