// Theme menu [data-theme-form]: switches at once, tells the server (or the browser, before sign-in) in passing.

const root = document.documentElement;
const system = window.matchMedia("(prefers-color-scheme: dark)");

function apply(theme) {
  root.dataset.theme = theme;
  root.dataset.bsTheme = theme === "auto" ? (system.matches ? "dark" : "light") : theme;
  for (const button of document.querySelectorAll("[data-theme-form] [name=theme]")) {
    button.classList.toggle("active", button.value === theme);
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
  document.dispatchEvent(new CustomEvent("adminset:theme", { detail: root.dataset.bsTheme }));
}

function remember(form, theme) {
  try { localStorage.setItem("adminset-theme", theme); } catch { /* only for this page then */ }
  const url = form.getAttribute("action");
  if (!url) return;
  const body = new FormData(form);
  body.set("theme", theme);
  fetch(url, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => {});
}

for (const form of document.querySelectorAll("[data-theme-form]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const theme = event.submitter ? event.submitter.value : "auto";
    apply(theme);
    remember(form, theme);
  });
}
system.addEventListener("change", () => apply(root.dataset.theme));
apply(root.dataset.theme || "auto");
