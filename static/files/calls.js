// What the files of a host ask of the portal, and which refusals pass; paths are percent-encoded bytes.
import { ask } from "../js/portal.js";

// The portal or the host was away, a piece was damaged or out of turn, too much goes on at a time.
const PASSES = new Set(["unreachable", "broken", "damaged_piece", "offset", "too_many_transfers", "maintenance"]);

/** Say whether a refusal passes by itself, so that it is worth trying again. */
export const passes = ({ code, status }) => PASSES.has(code) || status >= 500;

/** Take a refusal of this code for a no; any other is thrown. */
export const but = (code) => (problem) => {
  if (problem.code !== code) throw problem;
  return false;
};

/** Send JSON to an address below the host's files; gives the answer's JSON. */
export const call = (address, body) => ask(address, { json: body });

/** Write what a person typed as a path: each part percent-encoded. */
export const written = (typed) => typed.split("/").map(encodeURIComponent).join("/");

/** Put a name, as a person writes it, behind a folder that is written already. */
export const join = (folder, name) => `${folder === "/" ? "" : folder}/${encodeURIComponent(name)}`;

/** Give the folder of a written path. */
export const parent = (path) => path.slice(0, path.lastIndexOf("/")) || "/";

/** Give a written path as a person types it; "" where its bytes are no UTF-8. */
export function typed(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}
