// Boxes for code (data-code): the tab key indents by two spaces; Escape, then Tab leaves the box, as keyboards need it.
const INDENT = "  ";

function indent(box, back) {
  const { selectionStart: from, selectionEnd: to, value } = box;
  const start = value.lastIndexOf("\n", from - 1) + 1;
  if (!back && from === to) return box.setRangeText(INDENT, from, to, "end");
  const lines = value.slice(start, to).split("\n");
  const moved = lines.map((line) => (back ? line.replace(/^( {1,2}|\t)/, "") : INDENT + line)).join("\n");
  box.setRangeText(moved, start, to, "select");
}

for (const box of document.querySelectorAll("textarea[data-code]")) {
  let leaving = false;
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leaving = true;
    else if (event.key === "Tab" && !leaving && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      indent(box, event.shiftKey);
      box.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (event.key !== "Shift") leaving = false;
  });
  box.addEventListener("blur", () => { leaving = false; });
}
