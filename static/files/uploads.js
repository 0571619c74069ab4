// The list of uploads [data-uploads]: two at a time, each with its progress, pause, go on, replace, give up.
import { call, join } from "./calls.js";
import { Upload } from "./upload.js";
import { draw } from "./upload-line.js";
import { say } from "./words.js";
import { toast } from "../js/requests.js";

const AT_ONCE = 2;
const OVER = new Set(["done", "failed", "stopped"]);

export class Uploads {
  /** `placed(folder)` is called when something came into a folder. */
  constructor(here, worker, placed) {
    Object.assign(this, { here, worker, placed });
    this.panel = document.querySelector("[data-uploads]");
    this.list = this.panel.querySelector("[data-uploads-list]");
    this.template = this.panel.querySelector("[data-upload-line]");
    this.all = [];
    this.made = new Map();
    this.panel.querySelector("[data-uploads-clear]").addEventListener("click", () => this.clear());
    window.addEventListener("beforeunload", (event) => {
      if (this.all.some(({ state }) => !OVER.has(state) && state !== "paused")) event.preventDefault();
    });
  }

  /** Take files for a folder (written): [{ file, folders }]; without a file only the folders are made. */
  async add(where, chosen) {
    this.made.clear();
    for (const { file, folders } of chosen) {
      const folder = folders.reduce(join, where);
      if (!file) {
        this.ensure(where, folders).then(() => this.placed(where), (refusal) => toast(refusal.words));
        continue;
      }
      const path = join(folder, file.name);
      const upload = new Upload({ here: this.here, worker: this.worker, file, path, tell: draw });
      Object.assign(upload, { where, folders });
      this.line(upload);
      this.all.push(upload);
    }
    this.panel.hidden = !this.all.length;
    this.next();
  }

  /** Make the folders on the way, each once. */
  async ensure(where, folders) {
    let path = where;
    for (const name of folders) {
      path = join(path, name);
      const asked = path;
      if (!this.made.has(asked)) this.made.set(asked, call(`${this.here}folder/`, { path: asked, may_be_there: true }));
      await this.made.get(asked);
    }
  }

  next() {
    const going = this.all.filter(({ going: busy }) => busy).length;
    for (const upload of this.all.filter(({ state, going: busy }) => state === "waits" && !busy).slice(0, Math.max(AT_ONCE - going, 0))) this.start(upload);
    const done = this.all.filter(({ state }) => state === "done").length;
    this.panel.querySelector("[data-uploads-count]").textContent = say("count", done, this.all.length);
  }

  async start(upload) {
    upload.going = true;
    try {
      await this.ensure(upload.where, upload.folders);
      await upload.run();
    } catch (refusal) {
      this.made.clear();
      upload.set("failed", refusal);
    }
    upload.going = false;
    if (upload.state === "done") this.placed(upload.where);
    this.next();
  }

  clear() {
    for (const upload of this.all.filter(({ state }) => OVER.has(state))) {
      if (upload.state === "failed") upload.stop("stopped");
      upload.line.remove();
    }
    this.all = this.all.filter(({ state }) => !OVER.has(state));
    this.panel.hidden = !this.all.length;
    this.next();
  }

  line(upload) {
    upload.line = this.template.content.firstElementChild.cloneNode(true);
    const part = (name) => upload.line.querySelector(`[data-${name}]`);
    part("name").textContent = upload.file.name;
    part("folder").textContent = upload.folders.join("/");
    upload.line.addEventListener("click", ({ target }) => {
      const tool = target.closest("[data-tool]")?.dataset.tool;
      if (tool === "pause") upload.stop("paused");
      else if (tool === "cancel") this.cancel(upload);
      else if (tool === "resume" || tool === "replace") {
        if (tool === "replace") Object.assign(upload, { replace: true, token: "" });
        upload.set("waits");
        this.next();
      }
    });
    this.list.append(upload.line);
    draw(upload);
  }

  async cancel(upload) {
    if (upload.state === "waits" && !upload.token) upload.set("stopped");
    else if (!["done", "stopped"].includes(upload.state)) await upload.stop("stopped");
    else {
      upload.line.remove();
      this.all = this.all.filter((each) => each !== upload);
    }
    this.next();
  }
}
