// What htmx asks: clean addresses, words for what fails, the sign-in page when the session is over.
import { say } from "./words.js";

const signIn = document.querySelector("meta[name=sign-in-url]")?.content;

/** Show a sentence at the corner of the page; it goes away by itself. */
export function toast(text, state = "danger") {
  const box = document.createElement("div");
  box.className = `alert state-${state}`;
  box.textContent = text;
  document.getElementById("toasts")?.append(box);
  setTimeout(() => box.remove(), 8000);
}

// A form with data-clean leaves empty fields out of the address.
document.addEventListener("htmx:configRequest", (event) => {
  const { elt, parameters } = event.detail;
  if (!elt.matches("[data-clean]")) return;
  for (const [name, value] of [...new FormData(elt)]) {
    if (value === "" && elt.elements[name] && !new FormData(elt).getAll(name).some(Boolean)) delete parameters[name];
  }
});

// What the page asks by itself, without anybody's act, keeps no session alive (accounts/middleware.py).
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!detail.triggeringEvent || detail.triggeringEvent.type === "run-end") detail.headers["X-Automatic"] = "1";
});

// What polls with data-pause-hidden rests while nobody looks at the page.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.matches("[data-pause-hidden]")) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const url = event.detail.xhr.responseURL;
  if (signIn && url && new URL(url).pathname === signIn) {
    event.detail.shouldSwap = false;
    window.location.reload();
  }
});

function failed(event, words) {
  const fragment = event.detail.elt.closest("[data-fragment]");
  if (fragment) fragment.classList.add("is-broken");
  else toast(words);
}

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401) return;
  failed(event, status === 403 ? say("forbidden") : say("failed", status));
});
document.addEventListener("htmx:sendError", (event) => failed(event, say("unreachable")));
document.addEventListener("htmx:timeout", (event) => failed(event, say("unreachable")));

document.addEventListener("click", (event) => {
  const fragment = event.target.closest("[data-retry]")?.closest("[data-fragment]");
  if (!fragment) return;
  fragment.classList.remove("is-broken");
  window.htmx.trigger(fragment, "retry");
});
