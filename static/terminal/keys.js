// The keys of a terminal page that no program on the host gets; the same ones as other terminals have.

const WITH_CTRL_SHIFT = {
  KeyC: "copy",
  KeyV: "leave",
  KeyF: "find",
  ArrowLeft: "before",
  ArrowRight: "next",
  ArrowUp: "tools",
};

/** Name what a key press asks of the page, "" for what is the program's. Ctrl+Shift+V and Shift+Insert are left to the browser, which pastes. */
export function wishOf(event) {
  if (event.ctrlKey && event.shiftKey && !event.altKey && !event.metaKey) return WITH_CTRL_SHIFT[event.code] || "";
  if (event.metaKey && !event.ctrlKey && !event.altKey && ["KeyC", "KeyV"].includes(event.code)) return "leave";
  if (event.code === "Insert" && event.ctrlKey !== event.shiftKey) return event.ctrlKey ? "copy" : "leave";
  return "";
}
