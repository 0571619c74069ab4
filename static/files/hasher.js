// Hashes one file in a worker, so that the page stays quick: each piece, and the whole as it goes.
import { Refusal } from "../js/portal.js";

export class Hasher {
  constructor(address) {
    this.worker = new Worker(address, { type: "module" });
    this.asked = new Map();
    this.id = 0;
    this.worker.addEventListener("message", ({ data: { id, found, problem } }) => {
      const { give, fail } = this.asked.get(id);
      this.asked.delete(id);
      if (problem) fail(new Refusal({ code: "unreadable", message: problem }));
      else give(found);
    });
    this.worker.addEventListener("error", () => this.fail(new Refusal({ code: "unreadable", message: "worker" })));
  }

  ask(what) {
    this.id += 1;
    const { id } = this;
    return new Promise((give, fail) => {
      this.asked.set(id, { give, fail });
      this.worker.postMessage({ ...what, id });
    });
  }

  fail(error) {
    for (const { fail } of this.asked.values()) fail(error);
    this.asked.clear();
  }

  close() {
    this.worker.terminate();
    this.fail(new Refusal({ code: "stopped" }));
  }
}
