// Small behaviours by attribute, on the page and on whatever htmx brings: searchable selects, copy, submit on change.
import { say } from "./words.js";
import { toast } from "./requests.js";

async function find(address, q) {
  const answer = await fetch(`${address}?q=${encodeURIComponent(q)}`, { headers: { Accept: "application/json" } });
  return answer.ok ? (await answer.json()).choices : [];
}

function enhanceSelect(select) {
  if (select.tomselect || !window.TomSelect) return;
  if (!select.multiple && !select.dataset.choices && select.options.length < 8) return;
  const remote = select.dataset.choices;
  new window.TomSelect(select, {
    // Too many rows to draw: what matches is asked for while one types.
    ...(remote && { load: (q, done) => find(remote, q).then(done, () => done()), preload: "focus", sortField: "$order" }),
    plugins: select.multiple ? ["remove_button"] : [],
    maxOptions: 200,
    hidePlaceholder: true,
    dropdownParent: "body",
    render: {
      no_results: () => {
        const none = document.createElement("div");
        none.className = "no-results";
        none.textContent = say("noChoice");
        return none;
      },
    },
  });
}

function enhance(root) {
  root.querySelectorAll("select[data-enhance=select]").forEach(enhanceSelect);
  // On a narrow window the tab that one is on may be off the strip.
  root.querySelectorAll(".page-tabs [aria-current]").forEach((tab) => {
    const strip = tab.closest(".page-tabs");
    strip.scrollLeft = tab.offsetLeft - strip.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2;
  });
  root.querySelectorAll("[data-table-box]").forEach((box) => {
    box.addEventListener("scroll", () => box.classList.toggle("is-scrolled", box.scrollLeft > 0), { passive: true });
  });
}

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.matches("[data-submit-on-change]")) {
    // Named only once it was touched: an untouched choice stays out of the address.
    input.name ||= input.dataset.name;
    input.form.requestSubmit();
  }
  // Touching a field of a bulk edit ticks it.
  const row = input.closest("[data-bulk-field]");
  const tick = row?.querySelector("[name^=change_]");
  if (tick && tick !== input) tick.checked = true;
});

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    // The clipboard is only there on HTTPS and on this machine; elsewhere the text is shown to be copied by hand.
    await navigator.clipboard?.writeText(copy.dataset.copy);
    toast(navigator.clipboard ? say("copied") : copy.dataset.copy, "ok");
  }
  if (event.target.closest("[data-back]")) window.history.back();
});

// The language menu comes back to the address of now, not of when the page was drawn.
document.addEventListener("submit", (event) => {
  const next = event.target.matches("[data-next]") && event.target.elements.next;
  if (next) next.value = window.location.pathname + window.location.search;
});

// A form that was changed is not lost by a slip.
const guarded = new Set();
document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-guard]");
  if (form) guarded.add(form);
});
document.addEventListener("submit", (event) => guarded.delete(event.target));
window.addEventListener("beforeunload", (event) => {
  if (guarded.size) event.preventDefault();
});

enhance(document);
document.querySelector("[data-focus]")?.focus();
document.addEventListener("htmx:load", (event) => enhance(event.detail.elt));
