// Draws how one upload stands into its line: the bar, a sentence, and the buttons that fit.
import { say, sized } from "./words.js";

/** Give the bytes a second since it last began. */
const rate = ({ began, sent }) => (began ? (sent - began.sent) / Math.max((performance.now() - began.at) / 1000, 0.1) : 0);

const SENTENCES = {
  moves: (upload) => say("moving", sized(upload.sent), sized(upload.file.size), sized(rate(upload))),
  offline: ({ problem }) => (problem.status ? problem.words : say("offline")),
  paused: ({ sent }) => say("paused", sized(sent)),
  done: ({ sha256 }) => say("uploaded", sha256),
  failed: ({ problem }) => problem.words || String(problem),
};

/** Draw an upload into `upload.line`. */
export function draw(upload) {
  const { line, state, problem, sent, file } = upload;
  const bar = line.querySelector("[data-bar]");
  bar.max = Math.max(file.size, 1);
  bar.value = state === "done" ? bar.max : sent;
  line.dataset.state = state;
  line.querySelector("[data-state]").textContent = SENTENCES[state]?.(upload) ?? say(state);
  const code = state === "failed" ? problem.code : "";
  const shown = {
    pause: state === "moves" || state === "offline",
    resume: state === "paused" || (state === "failed" && code !== "exists"),
    replace: code === "exists" && problem.fields.kind === "file",
    prove: code === "proof_needed",
  };
  for (const [name, on] of Object.entries(shown)) line.querySelector(`[data-tool=${name}]`).hidden = !on;
}
