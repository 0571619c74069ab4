// The page of watchers and guests: one terminal of somebody else, in the size that its owner gave it; what a guest types goes there.
import { isLocal, isReport } from "./hostile.js";
import { Pane } from "./pane.js";
import { paste } from "./paste.js";
import { View } from "./view.js";

class Guest extends Pane {
  /** Only the owner's screen answers to programs, and says where its mouse is: a second answer would be typed at the prompt. */
  send(data) {
    const isTyped = typeof data === "string" && !isLocal(data) && !(this.screen.parsing && isReport(data));
    if (isTyped) super.send(data);
  }
}

/** What a pane hears its wishes from, where it is the only one. */
class WatchRoom {
  constructor(root) {
    this.root = root;
    const { away, host, login, socket, ticketUrl } = root.dataset;
    this.config = { away: Number(away) };
    this.pane = new Guest(this, { name: host });
    this.pane.root.classList.add("is-active");
    root.querySelector("[data-panes]").append(this.pane.root);
    this.pane.show();
    this.panes = [this.pane];
    this.active = this.pane;
    this.view = new View(this);
    this.pane.head.draw();
    this.pane.join({ name: host, login, socket, ticket_url: ticketUrl });
  }

  typed(pane, text) {
    pane.send(text);
  }

  pasted(pane, text) {
    return pane.live ? paste(text, pane, [pane]) : undefined;
  }

  wish(pane, name) {
    if (name === "copy") pane.head.copy();
    else if (name === "find") pane.head.toggleFind();
    else if (name === "tools") this.root.querySelector("[data-tools] button").focus();
  }

  focused() {}

  changed() {}

  reopen() {
    window.location.reload();
  }

  close() {
    window.location.assign(this.root.dataset.after);
  }
}

const root = document.querySelector("[data-watch]");
// For tests, and for whoever looks into a page that behaves oddly.
if (root) window.adminsetWatch = new WatchRoom(root);
