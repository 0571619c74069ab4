// Typing to several terminals at once: what is typed or pasted in one that is included goes to all of these, each by its own socket.
import { isLocal } from "./hostile.js";
import { say } from "./words.js";

export class Together {
  /** `button` turns it on and off; it is there for those who may, once there are two terminals. */
  constructor(room, button) {
    this.room = room;
    this.button = button;
    this.on = false;
    button?.addEventListener("click", () => {
      this.on = !this.on;
      this.draw();
      room.active?.screen.terminal.focus();
    });
  }

  /** Whether a terminal belongs to them: opened here by who types, not one that is watched. */
  offered(pane) {
    return Boolean(this.room.config.together) && pane.role === "owner";
  }

  isIncluded(pane) {
    return this.on && this.offered(pane) && pane.head.included.checked;
  }

  /** Where what is typed in a terminal goes. */
  targets(pane, text = "") {
    if (!this.isIncluded(pane) || isLocal(text)) return [pane];
    return this.room.panes.filter((each) => this.isIncluded(each) && each.live);
  }

  /** Show which terminals are included: a switch in each head, a frame, and how many there are. */
  draw() {
    const offered = this.room.panes.filter((pane) => this.offered(pane));
    if (offered.length < 2) this.on = false;
    for (const pane of this.room.panes) {
      pane.head.inclusion.hidden = !this.on || !this.offered(pane);
      pane.root.classList.toggle("is-included", this.isIncluded(pane) && pane.live);
      pane.root.classList.toggle("is-left-out", this.on && !this.isIncluded(pane));
    }
    if (!this.button) return;
    const open = offered.filter((pane) => pane.live);
    this.button.hidden = offered.length < 2;
    this.button.setAttribute("aria-pressed", String(this.on));
    this.button.classList.toggle("active", this.on);
    const count = open.filter((pane) => this.isIncluded(pane)).length;
    this.button.querySelector("[data-label]").textContent = this.on ? say("typingTo", count, open.length) : say("typeToAll");
    this.room.root.classList.toggle("is-together", this.on);
  }
}
