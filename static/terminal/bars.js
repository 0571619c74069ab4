// What stands over a terminal: the guard's questions and warnings, locks, words of others, doubts about a paste.
import { say } from "./words.js";

// Who goes on typing must not answer by accident what is asked just then.
const BLIND_MS = 600;
const TOLD_MS = 12_000;

export class Bars {
  /** `box` holds them; `changed()` is called when something is asked, or not any more. */
  constructor(box, changed) {
    this.box = box;
    this.changed = changed;
    // What is asked; the newest is to be seen, the others come back after it.
    this.questions = [];
  }

  /** Draw one: a class of its state, sentences, what it is about (shown as code), buttons. */
  draw(state, sentences, code = "") {
    const bar = document.createElement("div");
    bar.className = `terminal-bar state-${state}`;
    const text = document.createElement("div");
    for (const sentence of sentences.filter(Boolean)) text.append(Object.assign(document.createElement("p"), { textContent: sentence }));
    if (code) text.append(Object.assign(document.createElement("pre"), { textContent: code }));
    bar.append(text);
    this.box.append(bar);
    return bar;
  }

  button(bar, words, kind, act) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: `btn btn-sm ${kind}`, textContent: words });
    button.addEventListener("click", act);
    bar.append(button);
    return button;
  }

  /** Say something that goes by itself; `stays`: only when it is put away, or by `drop` with its name. */
  tell(state, sentences, { code = "", stays = false, name = "" } = {}) {
    this.drop(name);
    const bar = this.draw(state, sentences, code);
    if (name) bar.dataset.name = name;
    bar.setAttribute("role", "status");
    this.button(bar, say("dismiss"), "btn-plain", () => bar.remove());
    if (!stays) setTimeout(() => bar.remove(), TOLD_MS);
  }

  drop(name) {
    if (name) this.box.querySelector(`[data-name="${name}"]`)?.remove();
  }

  /** The question that is to be seen, null where nothing is asked. */
  get question() {
    return this.questions.at(-1) ?? null;
  }

  /** Ask; the answer, true or false, comes from a button, or from the keys y and n. `name`: of what kind it is, for `forget`. */
  ask(state, sentences, { name, code = "", yes, no }) {
    return new Promise((answered) => {
      const bar = this.draw(state, sentences, code);
      bar.setAttribute("role", "alertdialog");
      bar.setAttribute("aria-label", sentences.filter(Boolean).join(" "));
      const question = { bar, name };
      question.settle = (answer) => {
        this.remove([question]);
        answered(answer);
      };
      this.button(bar, `${yes} (y)`, "btn-danger", () => question.settle(true));
      this.button(bar, `${no} (n)`, "btn-quiet", () => question.settle(false));
      this.questions.push(question);
      this.show();
    });
  }

  /** Let the newest question be seen, and take keys a moment later. */
  show() {
    const { question } = this;
    for (const { bar } of this.questions) bar.hidden = bar !== question?.bar;
    if (question && question !== this.shown) {
      delete question.bar.dataset.takesKeys;
      setTimeout(() => (question.bar.dataset.takesKeys = ""), BLIND_MS);
    }
    this.shown = question;
    this.changed();
  }

  remove(questions) {
    for (const { bar } of questions) bar.remove();
    this.questions = this.questions.filter((each) => !questions.includes(each));
    this.show();
  }

  /** Take back what is asked of a kind, unanswered. */
  forget(name) {
    this.remove(this.questions.filter((each) => each.name === name));
  }

  /** Take a key while something is asked; false where nothing is. */
  key(event) {
    const { question } = this;
    if (!question) return false;
    if (event.type === "keydown" && !event.ctrlKey && !event.metaKey && "takesKeys" in question.bar.dataset) {
      const key = event.key.toLowerCase();
      if (key === "y") question.settle(true);
      else if (key === "n" || key === "escape") question.settle(false);
    }
    // Tab goes to the buttons.
    if (event.key !== "Tab") event.preventDefault();
    return true;
  }

  clear() {
    this.questions = [];
    this.show();
    this.box.replaceChildren();
  }
}
