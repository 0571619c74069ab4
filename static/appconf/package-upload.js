// Sends a file that is too large for one request in pieces, and goes on where the last one ended.
import { HEADERS, ask, refusal } from "../js/portal.js";

const line = document.querySelector("[data-package-pieces]");
const form = line?.closest("form");
const TRIES = 5;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function sendPiece(address, piece) {
  const answer = await fetch(address, { method: "POST", body: piece, headers: { ...HEADERS, "Content-Type": "application/octet-stream" } });
  const text = await answer.text();
  if (!answer.ok) throw refusal(answer.status, text);
  return JSON.parse(text).size;
}

/** Send one piece, again where the network failed; a refusal by the portal is final. */
async function surely(address, piece) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await sendPiece(address, piece);
    } catch (error) {
      if (error.status || tries === TRIES) throw error;
      await pause(1000 * tries);
    }
  }
}

async function send(file) {
  const begin = line.dataset.packagePieces;
  const most = Number(line.dataset.pieceBytes);
  const [bar, words] = [line.querySelector("progress"), line.querySelector("[role=status]")];
  const { ticket } = await ask(begin, { form: new FormData() });
  let sent = 0;
  while (sent < file.size) {
    sent = await surely(`${begin}${ticket}/?offset=${sent}`, file.slice(sent, sent + most));
    bar.value = Math.floor((100 * sent) / file.size);
    words.textContent = `${bar.value} %`;
  }
  const last = new FormData();
  last.set("name", file.name);
  last.set("sha256", form.elements.sha256.value);
  return ask(`${begin}${ticket}/finish/`, { form: last });
}

form?.addEventListener("submit", async (event) => {
  const file = form.elements.upload.files[0];
  if (!file || file.size < Number(line.dataset.pieceBytes)) return;
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  const words = line.querySelector("[role=status]");
  button.disabled = true;
  line.hidden = false;
  try {
    window.location.assign((await send(file)).url);
  } catch (error) {
    words.textContent = error.words ?? String(error);
    button.disabled = false;
  }
});
