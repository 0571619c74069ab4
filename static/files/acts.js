// What is done with files by a click: new folders, other names, modes and places, deleting, purging, hashes.
import { call, join, parent, typed, written } from "./calls.js";
import { ask } from "./dialogs.js";
import { say } from "./words.js";
import { toast } from "../js/requests.js";

/** The acts on the files of one host; `here` is the page's address, `changed` is called when a folder should be read again. */
export class Acts {
  constructor(here, changed) {
    this.here = here;
    this.changed = changed;
  }

  /** Call the portal; what it refuses is said, and null given. */
  async tell(name, body) {
    try {
      return await call(`${this.here}${name}/`, body);
    } catch (refusal) {
      if (refusal.code === "proof_needed") this.prove();
      else toast(refusal.words || String(refusal));
      return null;
    }
  }

  /** Go where one confirms who one is, and come back to this folder. */
  prove() {
    const { confirm } = document.querySelector("[data-host-files]").dataset;
    const back = window.location.pathname + window.location.search;
    window.location.assign(`${confirm}?next=${encodeURIComponent(back)}`);
  }

  /** Do the same with several rows; says how many it was. */
  async each(rows, name, bodyOf) {
    let done = 0;
    for (const row of rows) {
      if (!(await this.tell(name, bodyOf(row)))) break;
      done += 1;
    }
    if (done) {
      toast(say("done", done === 1 ? rows[0].dataset.name : say("chosen", done)), "ok");
      this.changed();
    }
  }

  title(key, rows) {
    return say(key, rows.length === 1 ? rows[0].dataset.name : say("chosen", rows.length));
  }

  async folder(where) {
    const name = await ask({ title: say("folder"), label: say("name"), value: "", go: say("make") });
    if (name && (await this.tell("folder", { path: join(where, name) }))) this.changed();
  }

  async rename([row]) {
    const { path } = row.dataset;
    const old = typed(path.slice(path.lastIndexOf("/") + 1));
    const to = await ask({ title: say("rename"), text: say("renameText"), label: say("name"), value: old, go: say("go") });
    if (!to || to === old) return;
    const target = to.startsWith("/") ? written(to) : join(parent(path), to);
    if (await this.tell("rename", { path, to: target })) this.changed();
  }

  async mode(rows) {
    const value = rows[0].dataset.octal;
    const mode = await ask({ title: this.title("mode", rows), text: say("modeText"), label: "0644", value, go: say("go") });
    if (mode) await this.each(rows, "mode", (row) => ({ path: row.dataset.path, mode }));
  }

  async waste(rows) {
    const sure = await ask({ title: this.title("waste", rows), text: say("wasteText"), go: say("wasteGo"), danger: true });
    if (sure) await this.each(rows, "waste", (row) => ({ path: row.dataset.path }));
  }

  async purge(rows) {
    const sure = await ask({ title: this.title("purge", rows), text: say("purgeText"), go: say("purgeGo"), danger: true });
    if (sure) await this.each(rows, "purge", (row) => ({ path: row.dataset.path }));
  }

  hash([row]) {
    return this.tell("hash", { path: row.dataset.path });
  }

  download(rows, address) {
    window.location.assign(`${address}?${rows.map((row) => `path=${row.dataset.path}`).join("&")}`);
  }
}
