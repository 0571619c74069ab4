// A long table [data-paged="rows a page"]: pages and a search, on what the page has already; without scripts all rows show.

function begin(box) {
  const size = Number(box.dataset.paged);
  const rows = [...box.querySelectorAll("tbody > tr")];
  const tools = box.querySelector("[data-paged-tools]");
  if (rows.length <= size) return;
  tools.hidden = false;
  const search = tools.querySelector("[data-paged-search]");
  const count = tools.querySelector("[data-paged-count]");
  const [back, on] = [tools.querySelector("[data-paged-back]"), tools.querySelector("[data-paged-on]")];
  let first = 0;
  let found = rows;

  function show() {
    const shown = new Set(found.slice(first, first + size));
    for (const row of rows) row.hidden = !shown.has(row);
    const numbers = [found.length ? first + 1 : 0, Math.min(first + size, found.length), found.length];
    count.textContent = numbers.reduce((words, number) => words.replace("%s", number), count.dataset.words);
    back.disabled = first === 0;
    on.disabled = first + size >= found.length;
  }

  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    found = rows.filter((row) => row.textContent.toLowerCase().includes(wanted));
    first = 0;
    show();
  });
  // Enter in the search must not send a form around it.
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  back.addEventListener("click", () => { first = Math.max(0, first - size); show(); });
  on.addEventListener("click", () => { first += size; show(); });
  show();
}

document.querySelectorAll("[data-paged]").forEach(begin);
