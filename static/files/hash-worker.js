// Hashes one file beside the page: the whole as it goes, and each piece. Takes { id, start, blob, piece } and { id, end }.
import { Sha256 } from "./sha256.js";

const whole = new Sha256();
let waiting = Promise.resolve();

const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Hash a piece where the browser does it itself (HTTPS); elsewhere the hash of the whole has to do. */
const pieceHash = async (bytes) => (self.crypto?.subtle ? hex(await self.crypto.subtle.digest("SHA-256", bytes)) : "");

async function take({ start, blob, piece, end }) {
  if (end) return whole.hex();
  const bytes = new Uint8Array(await blob.arrayBuffer());
  // What is sent a second time was counted the first time.
  const news = whole.length - start;
  if (news >= 0 && news < bytes.length) whole.update(bytes.subarray(news));
  return piece ? pieceHash(bytes) : "";
}

self.addEventListener("message", ({ data }) => {
  waiting = waiting.then(async () => {
    try {
      self.postMessage({ id: data.id, found: await take(data) });
    } catch (error) {
      self.postMessage({ id: data.id, problem: String(error.message || error) });
    }
  });
});
