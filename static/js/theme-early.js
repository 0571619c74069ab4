// Runs before the first paint: gives <html> its theme, so that no page flashes in the wrong one.
(function () {
  const root = document.documentElement;
  let theme = root.dataset.theme || "auto";
  if ("themeLocal" in root.dataset) {
    try { theme = localStorage.getItem("adminset-theme") || theme; } catch { /* storage is shut: the system decides */ }
  }
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = theme;
  root.dataset.bsTheme = theme === "auto" ? (dark ? "dark" : "light") : theme;
})();
