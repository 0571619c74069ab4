// Replays a recorded terminal [data-replay]: play, pause, speed, skip idle time, go anywhere, jump to commands, all by keyboard too.
import { listen } from "./replay-keys.js";
import { LETTERS_PX, fitLetters } from "./replay-letters.js";
import { Player } from "./replay-player.js";
import { Recording } from "./replay-recording.js";
import { Stage } from "./replay-stage.js";
import { Screen } from "./screen.js";

const STEP_MS = 5000;

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

class Replay {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`[data-${name}]`);
    const { url, columns, rows, length, at } = root.dataset;
    const size = { columns: Number(columns), rows: Number(rows) };
    this.screen = new Screen(this.part("screen"), { fixed: size, fontSize: LETTERS_PX });
    const { terminal } = this.screen;
    Object.assign(terminal.options, { disableStdin: true, cursorBlink: false });
    // The keys are the page's, also where the screen has the focus.
    terminal.attachCustomKeyEventHandler(() => false);
    const recording = new Recording(url);
    recording.length = Number(length) || 0;
    const hooks = { moved: () => this.draw(), said: (key, ...values) => this.say(key, ...values) };
    this.player = new Player(recording, new Stage(recording, this.screen, size), hooks);
    this.commands = [...document.querySelectorAll("[data-jump]")];
    this.bind();
    this.draw();
    this.fit();
    // Whoever comes for a moment sees it; whoever comes for the session sees its beginning and presses play.
    this.player.go(Number(at) || 0);
  }

  fit() {
    fitLetters(this.screen.terminal, this.part("screen"), document.fullscreenElement === this.root);
  }

  bind() {
    const { player } = this;
    const on = (name, event, act) => this.part(name).addEventListener(event, act);
    const by = (ms) => () => player.go(player.at + ms);
    on("play", "click", () => player.toggle());
    on("back", "click", by(-2 * STEP_MS));
    on("on", "click", by(2 * STEP_MS));
    on("seek", "input", (event) => player.go(Number(event.target.value)));
    on("speed", "change", (event) => (player.speed = Number(event.target.value)));
    on("skip", "change", (event) => (player.skips = event.target.checked));
    on("full", "click", () => this.full());
    this.root.addEventListener("fullscreenchange", () => this.fit());
    for (const each of this.commands) each.addEventListener("click", () => player.go(Number(each.dataset.at)));
    listen(this.part("screen"), {
      " ": () => player.toggle(),
      ArrowLeft: by(-STEP_MS),
      ArrowRight: by(STEP_MS),
      Home: () => player.go(0),
      End: () => player.go(player.recording.length),
      "<": () => this.faster(-1),
      ">": () => this.faster(1),
      "[": () => this.command(-1),
      "]": () => this.command(1),
      s: () => this.part("skip").click(),
      f: () => this.full(),
    });
  }

  faster(by) {
    const select = this.part("speed");
    select.selectedIndex = Math.min(Math.max(select.selectedIndex + by, 0), select.options.length - 1);
    this.player.speed = Number(select.value);
  }

  /** Go to the command before or after where the replay stands; a moment after a command counts as at it. */
  command(by) {
    const times = this.commands.map((each) => Number(each.dataset.at));
    const { at } = this.player;
    const found = by > 0 ? times.find((time) => time > at) : times.findLast((time) => time < at - 1000);
    if (found !== undefined) this.player.go(found);
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.();
  }

  say(key, ...values) {
    let words = key ? this.root.dataset[`words${key}`] || "" : "";
    for (const value of values) words = words.replace("%s", value);
    this.part("said").textContent = words;
  }

  draw() {
    const { at, playing, recording } = this.player;
    const seek = this.part("seek");
    seek.max = recording.length;
    seek.value = at;
    seek.setAttribute("aria-valuetext", clock(at));
    this.part("clock").textContent = clock(at);
    this.part("total").textContent = clock(recording.length);
    this.part("play").setAttribute("aria-pressed", String(playing));
    this.root.classList.toggle("is-playing", playing);
    const { columns } = this.screen.size;
    if (columns !== this.columns) requestAnimationFrame(() => this.fit());
    this.columns = columns;
    this.mark(this.commands.findLast((each) => Number(each.dataset.at) <= at));
  }

  /** Mark the command that was entered last. */
  mark(now) {
    if (now === this.current) return;
    this.current?.removeAttribute("aria-current");
    this.current = now;
    now?.setAttribute("aria-current", "true");
    const list = now?.closest("ol");
    if (list) list.scrollTop = now.offsetTop - list.offsetTop - list.clientHeight / 2;
  }
}

document.querySelectorAll("[data-replay]").forEach((root) => {
  root.replay ??= new Replay(root);
});
