// What a terminal's server says besides output, and what the pane does about it.
import { say } from "./words.js";

/** By the message's `t`. */
export const HEARD = {
  ready(pane, message) {
    pane.role = message.role;
    pane.mayWrite = message.may_write;
    pane.recording = message.recording;
    if (message.role !== "owner") pane.screen.become(message.columns, message.rows);
    else if (pane.screen.size.columns !== message.columns || pane.screen.size.rows !== message.rows) pane.tellSize();
  },
  size(pane, { columns, rows }) {
    if (pane.role !== "owner") pane.screen.become(columns, rows);
  },
  state(pane, { words }) {
    if (!pane.link.open) pane.become("connecting", words || say("connecting"));
  },
  rights(pane, message) {
    pane.role = message.role;
    pane.mayWrite = message.may_write;
  },
  watchers(pane, { names }) {
    const came = names.filter((name) => !(pane.watchers || []).includes(name));
    pane.watchers = names;
    if (came.length && pane.role === "owner") pane.bars.tell("busy", [say("watcherCame", came.join(", "))]);
  },
  locked(pane, { by }) {
    pane.lockedBy = by;
    if (by) pane.bars.tell("warning", [say("locked", by)], { stays: true, name: "locked" });
    else pane.bars.drop("locked");
  },
  say(pane, { words }) {
    pane.bars.tell("busy", [words], { stays: true });
  },
  async guard(pane, { id, action, command, words }) {
    if (action === "done") return pane.asked === id ? pane.bars.forget("guard") : undefined;
    if (action !== "confirm") return pane.bars.tell(action === "refuse" ? "danger" : "warning", [words || say(action)], { code: command });
    pane.asked = id;
    const asked = { name: "guard", code: command, yes: say("guardYes"), no: say("guardNo") };
    const yes = await pane.bars.ask("warning", [words || say("confirm"), say("guardWaits")], asked);
    pane.asked = null;
    pane.screen.terminal.focus();
    return pane.link.tell({ t: "answer", id, yes });
  },
};
