// Badges of hosts and runs that live output keeps true: [data-host-status=<id>] and [data-run-status].

const icons = { ok: "circle-check", warning: "triangle-exclamation", danger: "circle-xmark", idle: "circle-minus", busy: "circle-notch" };

function badge(target, state, label) {
  const known = state in icons ? state : "idle";
  const box = document.createElement("span");
  box.className = `badge-state state-${known}`;
  const icon = box.appendChild(document.createElement("i"));
  icon.className = `fa-solid fa-${icons[known]}`;
  icon.setAttribute("aria-hidden", "true");
  box.append(label || known);
  target.replaceChildren(box);
}

document.addEventListener("adminset:run-host", ({ detail }) => {
  if (detail.type !== "host") return;
  const target = document.querySelector(`[data-host-status="${CSS.escape(detail.host)}"]`);
  if (target) badge(target, detail.status, detail.label);
});

document.addEventListener("adminset:run-end", ({ detail }) => {
  const target = document.querySelector("[data-run-status]");
  if (target) badge(target, detail.status, detail.label);
  // The page's fragments that say the result are read once more.
  for (const element of document.querySelectorAll("[data-refresh-on-end]")) window.htmx?.trigger(element, "run-end");
});
