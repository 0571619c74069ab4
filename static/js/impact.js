// The impact picture [data-impact data-url]: objects in columns, one column a step, lines between them; each is a link.
import { say } from "./words.js";

const ROW = 28;
const COLUMN = 230;
const EDGE = 12;
const SVG = "http://www.w3.org/2000/svg";

/** Give each object its place: the column is its step, the row its turn in the column; short columns stand in the middle. */
export function places(nodes) {
  const columns = [];
  nodes.forEach((node, number) => (columns[node.level] ||= []).push(number));
  const rows = Math.max(...columns.map((column) => column.length));
  const at = [];
  columns.forEach((column, x) => column.forEach((number, i) => { at[number] = [x, ((i + 0.5) * rows) / column.length]; }));
  return { at, rows, columns: columns.length };
}

function made(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

function lines(links, points) {
  const svg = document.createElementNS(SVG, "svg");
  const path = svg.appendChild(document.createElementNS(SVG, "path"));
  path.setAttribute("d", links.map(({ source, target }) => {
    const [[x, y], [toX, toY]] = [points[source], points[target]];
    // Two of one column are joined by a bow beside it.
    const bow = (toX - x) / 2 || -2 * EDGE;
    return `M${x} ${y}C${x + bow} ${y} ${toX - (toX === x ? -bow : bow)} ${toY} ${toX} ${toY}`;
  }).join(""));
  return svg;
}

function point({ name, kind, level, url }, [x, y], color) {
  const link = made("a", level ? "impact-node" : "impact-node is-root");
  link.append(made("i", ""), made("span", "", name));
  link.href = url;
  link.title = `${kind}: ${name}`;
  link.dataset.kind = kind;
  Object.assign(link.style, { left: `${x}px`, top: `${y}px`, width: `${COLUMN - 2 * EDGE}px` });
  link.firstChild.style.background = `var(${color})`;
  return link;
}

function legend(kinds, colorOf, canvas) {
  const list = made("div", "chart-legend");
  for (const kind of kinds) {
    const button = list.appendChild(made("button", ""));
    button.type = "button";
    button.append(made("i", ""), kind);
    button.firstChild.style.background = `var(${colorOf(kind)})`;
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const isShown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(isShown));
      for (const node of canvas.querySelectorAll("a")) if (node.dataset.kind === kind) node.hidden = !isShown;
    });
  }
  return list;
}

/** Ctrl and the wheel zoom around the mouse, Shift and the mouse move. */
function listen(box, canvas) {
  let zoom = 1;
  box.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const { left, top } = box.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const fresh = Math.min(Math.max(zoom * (event.deltaY > 0 ? 0.8 : 1.25), 0.1), 3);
    const [atX, atY] = [(box.scrollLeft + x) / zoom, (box.scrollTop + y) / zoom];
    zoom = fresh;
    canvas.style.zoom = fresh;
    box.scrollTo(atX * fresh - x, atY * fresh - y);
  }, { passive: false });
  box.addEventListener("pointermove", (event) => { if (event.shiftKey && event.buttons === 1) box.scrollBy(-event.movementX, -event.movementY); });
  box.addEventListener("dragstart", (event) => event.preventDefault());
}

function picture(element, { nodes, links }) {
  const { at, rows, columns } = places(nodes);
  const kinds = [...new Set(nodes.map((node) => node.kind))];
  const colorOf = (kind) => `--chart-${(kinds.indexOf(kind) % 8) + 1}`;
  const wide = Math.max(COLUMN, (element.clientWidth - EDGE) / columns);
  const points = at.map(([x, y]) => [x * wide + EDGE, y * ROW]);
  const canvas = made("div", "impact-canvas");
  Object.assign(canvas.style, { width: `${columns * wide}px`, height: `${rows * ROW}px` });
  canvas.append(lines(links, points), ...nodes.map((node, number) => point(node, points[number], colorOf(node.kind))));
  element.append(legend(kinds, colorOf, canvas));
  const box = element.appendChild(made("div", "impact-box"));
  box.append(canvas);
  box.scrollTop = points[nodes.findIndex((node) => !node.level)][1] - box.clientHeight / 2;
  listen(box, canvas);
}

async function draw(element) {
  const note = element.appendChild(made("div", "chart-note"));
  note.setAttribute("role", "status");
  note.toggleAttribute("data-whole", true);
  try {
    const answer = await fetch(element.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status);
    const data = await answer.json();
    picture(element, data);
    note.hidden = true;
    element.dataset.nodes = String(data.nodes.length);
    element.dataset.state = "drawn";
  } catch {
    element.dataset.state = "failed";
    note.textContent = say("chartFailed");
  }
}

document.querySelectorAll("[data-impact]").forEach(draw);
