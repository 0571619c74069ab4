// Sends one piece of an upload; tells how much of it is on its way, which fetch cannot.
import { HEADERS, Refusal, refusal } from "../js/portal.js";

/** `moved(request, bytes)` is called as it goes, with null at its end. Throws a Refusal. */
export function send({ address, token, blob, sha256, moved }) {
  return new Promise((give, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    const headers = { ...HEADERS, "Content-Type": "application/octet-stream", "X-Upload": token, "X-Sha256": sha256 };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded }) => moved(request, Math.min(loaded, blob.size)));
    request.addEventListener("load", () => {
      moved(request, null);
      if (request.status === 200) give();
      else fail(refusal(request.status, request.responseText));
    });
    for (const name of ["error", "abort", "timeout"]) {
      request.addEventListener(name, () => {
        moved(request, null);
        fail(new Refusal({ code: "unreachable" }));
      });
    }
    moved(request, 0);
    request.send(blob);
  });
}
