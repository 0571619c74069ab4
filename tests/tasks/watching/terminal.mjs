// Writes pieces of output (JSON on the standard input) as the page does, with elements that are just enough; prints what came of it.
import { readFileSync } from "node:fs";

class Node {
  constructor() {
    this.children = [];
    this.className = "";
  }

  set textContent(text) {
    this.children = text ? [text] : [];
  }

  append(child) {
    if (child instanceof Node) child.parent = this;
    this.children.push(child);
  }

  appendChild(child) {
    this.append(child);
    return child;
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((one) => one !== this);
  }

  get text() {
    return this.children.map((one) => (one instanceof Node ? one.text : one)).join("");
  }

  get looks() {
    const own = this.className ? [[this.className, this.text]] : [];
    return [...own, ...this.children.flatMap((one) => (one instanceof Node ? one.looks : []))];
  }
}

globalThis.document = { createElement: () => new Node() };
const { AnsiWriter } = await import(process.argv[2]);
const target = new Node();
const writer = new AnsiWriter();
for (const piece of JSON.parse(readFileSync(0, "utf8"))) writer.write(piece, target);
process.stdout.write(JSON.stringify({ text: target.text, looks: target.looks }));
