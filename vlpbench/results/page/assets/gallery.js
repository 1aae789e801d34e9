/* The gallery: examples with their pictures and what every row said. Texts become text nodes, never HTML. */
(() => {
  "use strict";
  const home = document.getElementById("gallery");
  const source = document.getElementById("gallery-data");
  if (!home || !source) return;
  const data = JSON.parse(source.textContent);
  const AT_ONCE = 12;
  const MOST_ROWS = 6;
  const RIGHT = 50;
  const chosen = { section: 0, seed: 0, rows: new Set(), a: "", b: "", right: "", drawn: "", text: "", many: AT_ONCE };
  const parts = {};

  function make(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
    }
    made.append(...children.filter((one) => one !== null && one !== undefined).map((one) => (one instanceof Node ? one : String(one))));
    return made;
  }

  const section = () => data.sections[chosen.section];
  const said = (example, row) => example.said[row][chosen.seed];
  const shownRows = () => section().rows.map((_, at) => at).filter((at) => chosen.rows.has(at));
  const compared = () => (chosen.a !== "" && chosen.b !== "" && chosen.a !== chosen.b ? [Number(chosen.a), Number(chosen.b)] : null);

  function worth(entry) {
    if (!entry) return null;
    if (section().kind === "retrieval") return entry[0] === null ? null : 1 / entry[0];
    return entry[2];
  }

  function isRight(entry) {
    if (!entry) return null;
    if (section().kind === "retrieval") return entry[0] === null ? null : entry[0] <= 5;
    return entry[2] === null ? null : entry[2] >= RIGHT;
  }

  function lead(example) {
    const [a, b] = compared().map((row) => worth(said(example, row)));
    return a === null || b === null ? null : a - b;
  }

  function isDifferent(example) {
    const [a, b] = compared().map((row) => said(example, row));
    if (!a || !b) return false;
    return section().kind === "retrieval"
      ? a[0] !== b[0] || a[1].join() !== b[1].join()
      : a[0] !== b[0] || a[2] !== b[2];
  }

  function words(example) {
    const found = section().found;
    const answers = shownRows().map((row) => said(example, row)).filter(Boolean);
    const told = section().kind === "retrieval"
      ? answers.flatMap((entry) => entry[1]).concat(example.right || []).map((at) => found[at].text || "")
      : answers.map((entry) => entry[0]);
    return [example.id, example.ask, ...example.truth.map((one) => one[0]), ...(example.choices || []), ...told]
      .join("\n").toLowerCase();
  }

  function fits(example) {
    if (chosen.drawn && example.drawn !== chosen.drawn) return false;
    if (chosen.text && !words(example).includes(chosen.text.toLowerCase())) return false;
    if (compared() && !isDifferent(example)) return false;
    if (!chosen.right) return true;
    const marks = shownRows().map((row) => isRight(said(example, row))).filter((one) => one !== null);
    const right = marks.filter(Boolean).length;
    return marks.length > 0 && { all: right === marks.length, some: right > 0 && right < marks.length, none: right === 0 }[chosen.right];
  }

  function listed() {
    const kept = section().examples.filter(fits);
    if (!compared()) return kept;
    const leads = new Map(kept.map((one) => [one, lead(one) ?? -Infinity]));
    return kept.sort((one, other) => leads.get(other) - leads.get(one) || 0);
  }

  function picture(number, large) {
    const known = data.pictures[number];
    if (!known || !known.src) return make("div", { class: "gallery-missing" }, known ? known.why : "no picture");
    const small = Math.max(known.width, known.height) <= 64;
    return make("img", {
      src: known.src, width: known.width, height: known.height, alt: large ? "the picture asked about" : "a picture found",
      class: small ? "gallery-pixels" : null, loading: "lazy", decoding: "async",
    });
  }

  function mark(right) {
    if (right === null) return null;
    return make("span", { class: right ? "gallery-good" : "gallery-bad", title: right ? "right" : "wrong", role: "img", "aria-label": right ? "right" : "wrong" }, right ? "✓" : "✗");
  }

  function foundList(entry, example) {
    const right = new Set(example.right);
    const items = entry[1].map((at) => {
      const one = section().found[at];
      const hit = right.has(at);
      const inside = one.text !== undefined ? make("span", { dir: "auto" }, one.text) : picture(one.picture, false);
      return make("li", { class: hit ? "gallery-hit" : null }, inside, hit ? mark(true) : null);
    });
    return make("ol", { class: example.way === "text to image" ? "gallery-strip" : "gallery-texts" }, ...items);
  }

  function scoreOf(entry) {
    if (section().kind === "retrieval") return entry[0] === null ? "" : `place ${entry[0]}`;
    const score = entry[2] === null ? "" : section().score.endsWith("%") ? `${entry[2]} %` : `${entry[2]}`;
    const sure = entry[1] === null ? "" : `p = ${entry[1].toFixed(2)}`;
    return [score, sure].filter(Boolean).join(" · ");
  }

  function answer(example, row) {
    const told = section().rows[row];
    const entry = said(example, row);
    const name = make("div", { class: "gallery-row" }, make("b", { dir: "auto" }, told.name), told.blind ? make("span", { class: "gallery-blind" }, "saw grey") : null);
    const block = make("div", { class: "gallery-answer" }, name);
    if (!entry) {
      block.append(make("div", { class: "gallery-none" }, told.why || "no finished cell of this seed"));
      return block;
    }
    const right = section().kind === "captioning" ? null : isRight(entry);
    if (right !== null) block.classList.add(right ? "gallery-is-right" : "gallery-is-wrong");
    name.append(make("span", { class: "gallery-score" }, mark(right), " ", scoreOf(entry)));
    block.append(section().kind === "retrieval" ? foundList(entry, example) : make("div", { class: "gallery-said", dir: "auto" }, entry[0] === "" ? "(nothing)" : entry[0]));
    return block;
  }

  function truth(example) {
    const kind = section().kind;
    if (kind === "captioning") {
      return make("details", { class: "gallery-truth" }, make("summary", {}, `${example.truth.length} captions by people`),
        make("ul", {}, ...example.truth.map((one) => make("li", { dir: "auto" }, one[0]))));
    }
    if (kind === "retrieval") {
      if (example.way === "text to image") return null;
      const own = example.right.map((at) => make("li", { dir: "auto" }, section().found[at].text));
      return make("details", { class: "gallery-truth" }, make("summary", {}, `its ${own.length} captions`), make("ul", {}, ...own));
    }
    const answers = example.truth.map(([text, many]) => make("span", { class: "gallery-answered", dir: "auto" }, many > 1 ? `${text} ×${many}` : text));
    const choices = example.choices ? make("div", { class: "gallery-choices", dir: "auto" }, `choices: ${example.choices.join(" · ")}`) : null;
    return make("div", { class: "gallery-truth" }, choices, make("span", {}, kind === "vqa" && !example.choices ? "people said " : "right: "), ...answers);
  }

  function heading(example) {
    const kind = section().kind;
    if (kind === "captioning") return "Describe the picture";
    if (kind === "classification") return "Name the class";
    if (kind === "retrieval") return example.way === "text to image" ? example.ask || "Find the picture" : "Find the captions";
    return example.ask;
  }

  function card(example) {
    const pair = compared();
    const rows = pair ? [...pair, ...shownRows().filter((row) => !pair.includes(row))] : shownRows();
    const ahead = pair ? lead(example) : null;
    const shown = ahead === null || section().kind === "retrieval" ? null : Math.round(10 * ahead) / 10;
    const label = section().kind === "retrieval" && example.way === "text to image" ? make("figcaption", {}, "the right one") : null;
    return make("article", { class: "gallery-card", tabindex: -1 },
      make("figure", { class: "gallery-picture" }, picture(example.picture, true), label),
      make("div", { class: "gallery-told" },
        make("h3", { dir: "auto" }, heading(example)),
        make("div", { class: "gallery-facts" }, `${example.way ? `${example.way} · ` : ""}${example.id} · ${example.drawn === "chance" ? "drawn by chance" : "rows differ here"}`,
          shown === null ? null : ` · first row ahead by ${shown}`),
        truth(example), ...rows.map((row) => answer(example, row))));
  }

  function fill(focus) {
    const kept = listed();
    const before = focus ? parts.cards.children.length : 0;
    const cards = kept.slice(before, chosen.many).map(card);
    if (focus) parts.cards.append(...cards);
    else parts.cards.replaceChildren(...cards);
    const shown = Math.min(kept.length, chosen.many);
    parts.count.textContent = `${shown} of ${kept.length} examples${kept.length < section().examples.length ? ` that fit, of ${section().examples.length}` : ""}`;
    parts.more.hidden = shown >= kept.length;
    if (focus && cards.length) cards[0].focus();
  }

  function change(key, value) {
    chosen[key] = value;
    chosen.many = AT_ONCE;
    fill(false);
  }

  function select(name, label, options, value) {
    const box = make("select", { id: `gallery-${name}`, onchange: (event) => change(name, event.target.value) },
      ...options.map(([key, text]) => make("option", { value: key, selected: String(key) === String(value) }, text)));
    return make("label", { class: "gallery-control" }, make("span", {}, label), box);
  }

  function rowBoxes() {
    const boxes = section().rows.map((row, at) => make("label", { class: "gallery-box" },
      make("input", {
        type: "checkbox", value: at, checked: chosen.rows.has(at),
        onchange: (event) => {
          if (event.target.checked) chosen.rows.add(at);
          else chosen.rows.delete(at);
          fill(false);
        },
      }), make("span", { dir: "auto" }, row.name + (row.blind ? " (saw grey)" : "") + (row.why ? ` (${row.why})` : ""))));
    return make("fieldset", { class: "gallery-rows" }, make("legend", {}, "Rows shown"), ...boxes);
  }

  function controls() {
    const here = section();
    const rows = [["", "–"], ...here.rows.map((row, at) => [at, row.name])];
    const rightness = here.kind === "captioning" ? null : select("right", "Answers", [
      ["", "all"], ["all", "every shown row right"], ["some", "some right, some wrong"], ["none", "every shown row wrong"]], chosen.right);
    const search = make("input", { type: "search", id: "gallery-text", autocomplete: "off", oninput: (event) => change("text", event.target.value.trim()) });
    const seeds = select("seed", "Seed", here.seeds.map((seed, at) => [at, seed]), chosen.seed);
    return [seeds, rightness, select("drawn", "Chosen", [["", "both ways"], ["chance", "by chance"], ["differ", "where rows differ most"]], chosen.drawn),
      select("a", "Where this row …", rows, chosen.a), select("b", "… and this one differ", rows, chosen.b),
      make("label", { class: "gallery-control" }, make("span", {}, "Words"), search), rowBoxes()].filter(Boolean);
  }

  function sentence() {
    const here = section();
    const chance = here.examples.filter((one) => one.drawn === "chance").length;
    const differ = here.examples.length - chance;
    const right = { vqa: ` Right: ${RIGHT} % or more.`, classification: "", captioning: "", retrieval: " Right: a right answer is among the first five." }[here.kind];
    const apart = differ ? ` and ${differ} of the others where rows' scores, averaged over seeds, differ most` : "";
    return `${chance} of ${here.of.toLocaleString("en")} examples of ${here.data || "the data"} (${here.split}), drawn by chance, the same for every row and seed${apart}. ` +
      `Number beside an answer: ${here.score}.${right} Two rows that are compared show where they differ, the first row's greatest lead first.`;
  }

  function enter(at) {
    Object.assign(chosen, { section: at, seed: 0, a: "", b: "", right: "", drawn: "", text: "", many: AT_ONCE });
    chosen.rows = new Set(section().rows.map((_, row) => row).slice(0, MOST_ROWS));
    parts.controls.replaceChildren(...controls());
    parts.notes.replaceChildren(make("p", {}, sentence()), ...section().notes.map((note) => make("p", { class: "gallery-note" }, note)));
    fill(false);
  }

  function build() {
    if (!data.sections.length) {
      home.append(make("p", { class: "gallery-note" }, "No finished cell here keeps predictions to show."));
      return;
    }
    const grids = new Set(data.sections.map((one) => one.grid));
    const titles = data.sections.map((one, at) => {
      const twins = data.sections.filter((other) => other.grid === one.grid && other.task === one.task).length > 1;
      return [at, [grids.size > 1 ? one.grid : "", one.task, twins ? `${one.data} ${one.split}` : ""].filter(Boolean).join(" · ")];
    });
    const task = make("select", { id: "gallery-section", onchange: (event) => enter(Number(event.target.value)) },
      ...titles.map(([at, text]) => make("option", { value: at }, text)));
    parts.controls = make("div", { class: "gallery-controls" });
    parts.notes = make("div", { class: "gallery-notes" });
    parts.count = make("p", { class: "gallery-count", role: "status" });
    parts.cards = make("div", { class: "gallery-cards" });
    parts.more = make("button", { type: "button", id: "gallery-more", onclick: () => { chosen.many += AT_ONCE; fill(true); } }, "Show more");
    home.append(make("div", { class: "gallery-tasks" }, make("label", { class: "gallery-control" }, make("span", {}, "Task"), task)),
      parts.controls, parts.notes, parts.count, parts.cards, parts.more);
    enter(0);
  }

  build();
})();
