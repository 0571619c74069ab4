// Bars [data-bars data-url]: amounts under each other, drawn once from the server's JSON; a bar with a url is a link there.
import { format } from "./chart-format.js";
import { say } from "./words.js";

function made(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

/** Build a bar. bar: {name, value, url}; most: the value of a bar as long as there is room. */
function row({ name, value, url }, unit, most) {
  const item = document.createElement("li");
  const bar = item.appendChild(made(url ? "a" : "div", "bar"));
  if (url) bar.href = url;
  const label = bar.appendChild(made("span", "bar-name", name));
  label.title = name;
  const fill = bar.appendChild(made("span", "bar-track")).appendChild(document.createElement("i"));
  fill.style.width = `${most > 0 ? Math.max(value / most, 0) * 100 : 0}%`;
  bar.append(made("span", "bar-value", format(value, unit)));
  return item;
}

async function draw(element) {
  const note = element.appendChild(made("div", "chart-note"));
  note.setAttribute("role", "status");
  note.toggleAttribute("data-whole", true);
  try {
    const answer = await fetch(element.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status);
    const { bars, unit } = await answer.json();
    note.textContent = bars.length ? "" : say("noData");
    note.hidden = bars.length > 0;
    const list = element.appendChild(made("ul", "bar-list"));
    const most = Math.max(...bars.map((bar) => bar.value));
    list.append(...bars.map((bar) => row(bar, unit, most)));
    element.dataset.state = "drawn";
  } catch {
    element.dataset.state = "failed";
    note.textContent = say("chartFailed");
  }
}

document.querySelectorAll("[data-bars]").forEach(draw);
