/* Colours, sorting, filtering, and a cell's settings. Texts of grids become text nodes, never markup. */
(() => {
  "use strict";
  const found = (selector, within = document) => [...within.querySelectorAll(selector)];
  const made = (name, text = "", kind = "") => {
    const one = document.createElement(name);
    one.textContent = text;
    if (kind) one.className = kind;
    return one;
  };

  /* Light and dark: the system's choice until the button is pressed; then what was chosen, next time too. */
  const root = document.documentElement, theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const name = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours");
  };
  const KEPT = "vlpbench-theme";
  const remembered = () => {
    try { return localStorage.getItem(KEPT); } catch { return null; } // a browser may keep nothing for files
  };
  const remember = (chosen) => {
    try { localStorage.setItem(KEPT, chosen); } catch { theme.title = "not remembered: this browser keeps nothing for files"; }
  };
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    name();
  });
  system.addEventListener("change", name);
  name();

  /* Sorting: upwards, downwards, the grid's own order. Lines without a number come last; floors stay below all. */
  const NUMBER = /^[[<]?([+−-]?\d[\d,]*(?:\.\d+)?)(?: ?%|, [+−-]?\d[\d,.]*\])?$/; // 17%, <0.001, an interval by its lower end
  const details = new WeakMap();
  const own = new WeakMap();
  const value = (line, at) => {
    const cell = line.cells[at];
    if (!cell) return "";
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const text = cell.textContent.trim();
    if (cell.matches(".numbers td") && NUMBER.test(text)) return Number(text.match(NUMBER)[1].replace("−", "-").replaceAll(",", ""));
    return cell.matches(".missing") || text === "–" ? "" : text;
  };
  const order = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a.localeCompare(b, "en", { numeric: true });
  };
  const sortLines = (body, at, way) => {
    const lines = [...body.rows].filter((line) => !line.matches(".details"));
    lines.forEach((line, place) => own.has(line) || own.set(line, place));
    const keyed = lines.map((line) => [value(line, at), own.get(line), line]);
    keyed.sort((a, b) => {
      if (way === "none") return a[1] - b[1];
      if (a[0] === "" || b[0] === "") return (a[0] === "") - (b[0] === "") || a[1] - b[1];
      if (typeof a[0] !== typeof b[0]) return order(a[0], b[0]);
      return (way === "ascending" ? order(a[0], b[0]) : order(b[0], a[0])) || a[1] - b[1];
    });
    const placed = keyed.flatMap((one) => (details.has(one[2]) ? [one[2], details.get(one[2])] : [one[2]]));
    body.append(...placed);
  };
  const columns = (table) => {
    /* The place of every head: (head, first column, how many), rows of heads with spans included. */
    const taken = [], places = [];
    [...table.tHead.rows].forEach((line, depth) => {
      let at = 0;
      for (const cell of line.cells) {
        while (taken[depth]?.[at]) at += 1;
        places.push({ cell, at, wide: cell.colSpan, last: depth + cell.rowSpan >= table.tHead.rows.length });
        for (let down = 0; down < cell.rowSpan; down += 1)
          for (let over = 0; over < cell.colSpan; over += 1) (taken[depth + down] ??= [])[at + over] = true;
        at += cell.colSpan;
      }
    });
    return places;
  };
  for (const table of found(".numbers table, table.cells")) {
    if (!table.tHead) continue;
    for (const { cell, at, wide, last } of columns(table)) {
      if (!last || wide > 1 || cell.tagName !== "TH" || !cell.textContent.trim()) continue;
      const button = made("button", "", "sort");
      button.type = "button";
      button.append(...cell.childNodes);
      cell.append(button);
      cell.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const way = { none: "ascending", ascending: "descending", descending: "none" }[cell.getAttribute("aria-sort")];
        found("[aria-sort]", table.tHead).forEach((other) => other.setAttribute("aria-sort", "none"));
        cell.setAttribute("aria-sort", way);
        for (const body of table.tBodies) if (!body.matches(".floors")) sortLines(body, at, way);
      });
    }
  }

  /* Filtering: rows by what their name has in it, score columns by their task. */
  const filter = document.getElementById("filter"), task = document.getElementById("task");
  const matches = document.getElementById("matches");
  const isOfTask = (line) => !task?.value || !line.closest("#differences") || line.cells[1].textContent.startsWith(`${task.value} `);
  const filterLines = () => {
    const wanted = filter.value.trim().toLowerCase();
    const lines = found(".numbers tbody:not(.floors) tr, .overview tbody tr, .cells tbody tr:not(.details)");
    let shown = 0, all = 0;
    for (const line of lines) {
      const text = (line.closest(".cells") ? line : line.querySelector("th") ?? line).textContent.toLowerCase();
      line.hidden = (wanted !== "" && !text.includes(wanted)) || !isOfTask(line);
      if (details.has(line)) details.get(line).hidden = line.hidden || details.get(line).dataset.open !== "yes";
      if (line.closest("#scores")) [shown, all] = [shown + !line.hidden, all + 1];
    }
    matches.textContent = wanted ? `${shown} of ${all} rows` : "";
    matches.classList.toggle("shown", wanted !== "");
  };
  const filterTasks = () => {
    const names = found("option", task).map((one) => one.value).filter(Boolean);
    for (const table of found("#scores table")) {
      const places = columns(table), away = new Set();
      for (const { cell, at, wide, last } of places) {
        const name = cell.textContent.trim();
        if (last || !names.includes(name)) continue;
        cell.hidden = task.value !== "" && name !== task.value;
        for (let over = 0; cell.hidden && over < wide; over += 1) away.add(at + over);
      }
      for (const { cell, at, last } of places) if (last) cell.hidden = away.has(at);
      for (const body of table.tBodies)
        for (const line of body.rows) [...line.cells].forEach((cell, at) => { cell.hidden = away.has(at); });
    }
    filterLines();
  };
  filter.addEventListener("input", filterLines);
  task?.addEventListener("change", filterTasks);

  /* A cell's settings, made when they are asked for: what differs from other cells first, all on demand. */
  const data = JSON.parse(document.getElementById("page-data").textContent);
  const listed = (lines) => {
    const list = made("dl");
    for (const [key, text, kind] of lines) {
      const head = made("dt");
      head.append(made("code", key));
      list.append(head, made("dd", text, kind));
    }
    return list;
  };
  const about = (line) => {
    const cell = data.cells[line.id], grid = data.grids[cell.grid];
    const row = made("tr", "", "details"), place = made("td");
    place.colSpan = line.cells.length;
    row.append(place);
    place.append(listed(cell.facts));
    if (cell.variant === null) {
      place.append(made("p", "No record tells of its settings.", "soft"));
      return row;
    }
    const mine = (lines) => lines.map(([key, values, usual]) => {
      const text = values[cell.variant];
      return [key, text, usual && text !== usual ? "other" : ""];
    });
    place.append(made("p", grid.differing.length ? "Settings in which rows differ:" : "Rows differ in no setting.", "soft"));
    place.append(listed(mine(grid.differing)));
    const more = made("button", "all settings");
    more.type = "button";
    more.setAttribute("aria-expanded", "false");
    const rest = listed([...mine(grid.partial), ...grid.shared].sort((a, b) => (a[0] < b[0] ? -1 : 1)));
    rest.hidden = true;
    more.addEventListener("click", () => {
      rest.hidden = !rest.hidden;
      more.setAttribute("aria-expanded", String(!rest.hidden));
    });
    place.append(more, rest);
    return row;
  };
  const open = (line, isOpen) => {
    if (!details.has(line)) {
      details.set(line, about(line));
      line.after(details.get(line));
    }
    const below = details.get(line);
    below.hidden = !isOpen;
    below.dataset.open = isOpen ? "yes" : "no";
    line.querySelector(".open").setAttribute("aria-expanded", String(isOpen));
  };
  document.querySelector(".cells")?.addEventListener("click", (event) => {
    const button = event.target.closest(".open");
    if (button) open(button.closest("tr"), button.getAttribute("aria-expanded") !== "true");
  });

  /* A link to a cell opens it. */
  const follow = () => {
    const line = document.getElementById(location.hash.slice(1));
    if (!line?.closest(".cells")) return;
    document.getElementById("every-cell").open = true;
    open(line, true);
    line.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", follow);
  follow();
})();
