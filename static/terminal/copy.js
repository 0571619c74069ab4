// Copying what is selected in a terminal: by the clipboard's interface where the page may use it (https), else as the browser's own copy does.
import { say } from "./words.js";

/** Copy; give a sentence that says what became of it. */
export async function copy(terminal) {
  const text = terminal.getSelection();
  if (!text) return say("nothingSelected");
  try {
    await navigator.clipboard.writeText(text);
    return say("copied");
  } catch {
    terminal.focus();
    // xterm.js answers the browser's event with the selection.
    return document.execCommand("copy") ? say("copied") : say("copyRefused");
  }
}

/** Read the clipboard; null where the browser does not let the page. */
export async function clipboard() {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return null;
  }
}
