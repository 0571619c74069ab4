// What a run says while it goes on: by web socket; when that is lost, the address is read each second and the socket tried again.

const MOST_SECONDS = 15;

export class RunConnection {
  /** `take(message)` gets each message, `offset()` says from which byte on, `state(word)` how it stands. */
  constructor(root, { take, offset, state }) {
    Object.assign(this, { root, take, offset, state, ended: false, wait: 1 });
    this.connect();
  }

  get isOver() {
    return this.ended || !this.root.isConnected;
  }

  connect() {
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    const path = this.root.dataset.ws;
    if (!path) return this.poll(Infinity);
    const socket = new WebSocket(`${scheme}://${window.location.host}${path}?offset=${this.offset()}`);
    socket.addEventListener("open", () => {
      this.wait = 1;
      this.state("live");
    });
    socket.addEventListener("message", (event) => {
      if (this.isOver) socket.close();
      else this.take(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      if (this.isOver || event.code === 4403) return;
      this.again();
    });
    this.socket = socket;
    return undefined;
  }

  /** Read the address for a while, then try the socket again: each time a little later. */
  async again() {
    this.wait = Math.min(this.wait * 2, MOST_SECONDS);
    if (await this.poll(this.wait)) this.connect();
  }

  async poll(seconds) {
    for (let second = 0; second < seconds && !this.isOver; second += 1) {
      await new Promise((go) => setTimeout(go, 1000));
      if (this.isOver) return false;
      try {
        const url = new URL(this.root.dataset.url, window.location.href);
        url.searchParams.set("offset", this.offset());
        url.searchParams.set("skip", "1");
        const answer = await fetch(url, { headers: { Accept: "application/json", "X-Automatic": "1" } });
        if (answer.status === 403 || answer.status === 404) return false;
        if (answer.ok) {
          this.state("polling");
          const body = await answer.json();
          for (const message of body.messages || [body]) this.take(message);
        }
      } catch {
        this.state("retrying");
      }
    }
    return !this.isOver;
  }

  end() {
    this.ended = true;
    this.socket?.close();
  }
}
