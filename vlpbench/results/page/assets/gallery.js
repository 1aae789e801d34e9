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
  const FIRST = 5;
  const WAYS = ["image to text", "text to image"];
  const FILTERS = { a: "", b: "", right: "", way: "", drawn: "", text: "" };
  const chosen = { section: 0, seed: 0, rows: new Set(), hidden: new Set(), many: AT_ONCE, ...FILTERS };
  const parts = {};

  function make(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
    }
    const there = children.filter((one) => one !== null && one !== undefined && one !== "");
    made.append(...there.map((one) => (one instanceof Node ? one : String(one))));
    return made;
  }

  /* What is chosen, and which examples that leaves. */

  const section = () => data.sections[chosen.section];
  const isRetrieval = () => section().kind === "retrieval";
  const said = (example, row) => example.said[row][chosen.seed];
  const shownRows = () => section().rows.map((_, at) => at).filter((at) => chosen.rows.has(at));

  function compared() {
    const isPair = chosen.a !== "" && chosen.b !== "" && chosen.a !== chosen.b;
    return isPair ? [Number(chosen.a), Number(chosen.b)] : null;
  }

  function worth(entry) {
    if (!entry) return null;
    if (isRetrieval()) return entry[0] === null ? null : 1 / entry[0];
    return entry[2];
  }

  function isRight(entry) {
    if (!entry || section().kind === "captioning") return null;
    const number = isRetrieval() ? entry[0] : entry[2];
    if (number === null) return null;
    return isRetrieval() ? number <= FIRST : number >= RIGHT;
  }

  function lead(example) {
    const [a, b] = compared().map((row) => worth(said(example, row)));
    return a === null || b === null ? null : a - b;
  }

  function isDifferent(example) {
    const [a, b] = compared().map((row) => said(example, row));
    if (!a || !b) return false;
    if (isRetrieval()) return a[0] !== b[0] || a[1].join() !== b[1].join();
    return a[0] !== b[0] || a[2] !== b[2];
  }

  function words(example) {
    const answers = shownRows().map((row) => said(example, row)).filter(Boolean);
    const items = isRetrieval() ? [...answers.flatMap((entry) => entry[1]), ...example.right] : [];
    const told = isRetrieval() ? items.map((at) => section().found[at].text || "") : answers.map((entry) => entry[0]);
    const asked = [example.id, example.ask, ...example.truth.map((one) => one[0]), ...(example.choices || [])];
    return [...asked, ...told].join("\n").toLowerCase();
  }

  function fitsRightness(example) {
    const marks = shownRows().map((row) => isRight(said(example, row))).filter((one) => one !== null);
    const right = marks.filter(Boolean).length;
    const isAll = right === marks.length;
    return marks.length > 0 && { all: isAll, some: right > 0 && !isAll, none: right === 0 }[chosen.right];
  }

  function fits(example) {
    if (chosen.drawn && example.drawn !== chosen.drawn) return false;
    if (chosen.way && example.way !== chosen.way) return false;
    if (chosen.text && !words(example).includes(chosen.text.toLowerCase())) return false;
    if (compared() && !isDifferent(example)) return false;
    return !chosen.right || fitsRightness(example);
  }

  function listed() {
    const kept = section().examples.filter(fits);
    if (!compared()) return kept;
    const leads = new Map(kept.map((one) => [one, lead(one) ?? -Infinity]));
    return kept.sort((one, other) => leads.get(other) - leads.get(one) || 0);
  }

  /* A card. */

  function picture(number, alt) {
    const known = data.pictures[number];
    if (!known || !known.src) return make("div", { class: "gallery-missing" }, known ? known.why : "no picture");
    const isSmall = Math.max(known.width, known.height) <= 64;
    return make("img", {
      src: known.src, width: known.width, height: known.height, alt, class: isSmall ? "gallery-pixels" : null,
      decoding: "async",
    });
  }

  function mark(right) {
    if (right === null) return null;
    const label = right ? "right" : "wrong";
    const kind = right ? "gallery-good" : "gallery-bad";
    return make("span", { class: kind, title: label, role: "img", "aria-label": label }, right ? "✓" : "✗");
  }

  function foundList(entry, example) {
    const right = new Set(example.right);
    const items = entry[1].map((at, place) => {
      const one = section().found[at];
      const inside = one.text === undefined
        ? picture(one.picture, `found at place ${place + 1}`) : make("span", { dir: "auto" }, one.text);
      const hit = right.has(at);
      return make("li", { class: hit ? "gallery-hit" : null }, inside, " ", hit ? mark(true) : null);
    });
    return make("ol", { class: example.way === WAYS[1] ? "gallery-strip" : "gallery-texts" }, ...items);
  }

  function numbers(entry) {
    if (isRetrieval()) return entry[0] === null ? "" : `place ${entry[0]}`;
    const unit = section().score.endsWith("%") ? " %" : "";
    const score = entry[2] === null ? "" : `${entry[2]}${unit}`;
    const sure = entry[1] === null ? "" : `${entry[1].toFixed(2)} sure`;
    return [score, sure].filter(Boolean).join(" · ");
  }

  function answer(example, row) {
    const told = section().rows[row];
    const entry = said(example, row);
    const blind = told.blind ? make("span", { class: "gallery-blind" }, "saw grey") : null;
    const head = make("div", { class: "gallery-row" }, make("b", { dir: "auto" }, told.name), blind);
    const block = make("div", { class: "gallery-answer" }, head);
    if (!entry) {
      head.append(make("span", { class: "gallery-none" }, told.why || "no finished cell of this seed"));
      return block;
    }
    const right = isRight(entry);
    if (right !== null) block.classList.add(right ? "gallery-is-right" : "gallery-is-wrong");
    const words = isRetrieval() ? null : entry[0] === "" ? "(nothing)" : entry[0];
    const short = section().kind === "vqa" || section().kind === "classification";
    const text = words === null ? null : make(short ? "span" : "div", { class: "gallery-said", dir: "auto" }, words);
    if (short) head.append(text);
    head.append(make("span", { class: "gallery-score" }, mark(right), " ", numbers(entry)));
    if (!short) block.append(text || foundList(entry, example));
    return block;
  }

  function folded(summary, texts) {
    const items = texts.map((text) => make("li", { dir: "auto" }, text));
    return make("details", { class: "gallery-truth" }, make("summary", {}, summary), make("ul", {}, ...items));
  }

  function truth(example) {
    const kind = section().kind;
    const many = (number) => `${number} ${number === 1 ? "caption" : "captions"} of the data set`;
    if (kind === "captioning") return folded(many(example.truth.length), example.truth.map((one) => one[0]));
    if (kind === "retrieval") {
      const own = example.right.map((at) => section().found[at].text).filter(Boolean);
      return example.way === WAYS[1] ? null : folded(many(own.length), own);
    }
    const given = example.truth.map(([text, people]) =>
      make("span", { class: "gallery-answered", dir: "auto" }, people > 1 ? `${text} ×${people}` : text));
    const choices = (example.choices || []).join(" · ");
    const listed = choices ? make("div", { dir: "auto" }, `choices: ${choices}`) : null;
    const label = kind === "vqa" && !choices ? "given answers: " : "right: ";
    return make("div", { class: "gallery-truth" }, listed, make("span", {}, label), ...given);
  }

  function heading(example) {
    const asked = { captioning: "Describe the picture", classification: "Name the class" }[section().kind];
    if (asked) return asked;
    return example.ask || (example.way === WAYS[0] ? "Find its captions" : example.id);
  }

  function card(example) {
    const pair = compared();
    const rows = pair ? [...pair, ...shownRows().filter((row) => !pair.includes(row))] : shownRows();
    const ahead = pair && !isRetrieval() ? lead(example) : null;
    const facts = [
      example.way, example.id, example.drawn === "chance" ? "drawn by chance" : "rows differ here",
      ahead === null ? "" : `${section().rows[pair[0]].name} ahead by ${Math.round(10 * ahead) / 10}`,
    ].filter(Boolean).join(" · ");
    const isGoal = example.way === WAYS[1];
    return make("article", { class: "gallery-card", tabindex: -1 },
      make("figure", { class: "gallery-picture" },
        picture(example.picture, isGoal ? "the picture to find" : "the picture"),
        isGoal ? make("figcaption", {}, "the picture to find") : null),
      make("div", { class: "gallery-told" },
        make("h3", { dir: "auto" }, heading(example)), make("div", { class: "gallery-facts" }, facts),
        truth(example), ...rows.map((row) => answer(example, row))));
  }

  /* The list of cards, and what one can choose. */

  function fill(isMore) {
    const kept = listed();
    const before = isMore ? parts.cards.children.length : 0;
    const cards = kept.slice(before, chosen.many).map(card);
    if (isMore) parts.cards.append(...cards);
    else parts.cards.replaceChildren(...cards);
    const shown = Math.min(kept.length, chosen.many);
    const all = section().examples.length;
    const that = kept.length < all ? ` that fit, of ${all}` : "";
    parts.count.textContent = kept.length ? `${shown} of ${kept.length} examples${that}` : `no example of ${all} fits`;
    parts.more.hidden = shown >= kept.length;
    if (isMore && cards.length) cards[0].focus();
  }

  function change(key, value) {
    chosen[key] = value;
    chosen.many = AT_ONCE;
    fill(false);
  }

  function labelled(text, control) {
    return make("label", { class: "gallery-control" }, make("span", {}, text), control);
  }

  function select(name, label, options, heard = (value) => change(name, value)) {
    const boxes = options.map(([key, text]) =>
      make("option", { value: key, selected: String(key) === String(chosen[name]) }, text));
    const listens = { id: `gallery-${name}`, onchange: (event) => heard(event.target.value) };
    return labelled(label, make("select", listens, ...boxes));
  }

  function rowBox(row, at) {
    const heard = (event) => {
      for (const [set, name] of [[chosen.rows, at], [chosen.hidden, row.name]]) {
        if (event.target.checked === (set === chosen.rows)) set.add(name);
        else set.delete(name);
      }
      change("many", AT_ONCE);
    };
    const name = [row.name, row.blind ? "(saw grey)" : "", row.why ? `(${row.why})` : ""].filter(Boolean).join(" ");
    const box = make("input", { type: "checkbox", value: at, checked: chosen.rows.has(at), onchange: heard });
    return make("label", { class: "gallery-box" }, box, make("span", { dir: "auto" }, name));
  }

  function controls() {
    const here = section();
    const rows = [["", "–"], ...here.rows.map((row, at) => [at, row.name])];
    const rightness = [["", "all"], ["all", "every shown row right"], ["some", "some right, some wrong"],
      ["none", "every shown row wrong"]];
    const drawn = [["", "both ways"], ["chance", "by chance"], ["differ", "where rows differ most"]];
    const heard = (event) => change("text", event.target.value.trim());
    return [
      select("seed", "Seed", here.seeds.map((seed, at) => [at, seed])),
      here.kind === "captioning" ? null : select("right", "Answers", rightness),
      isRetrieval() ? select("way", "Way", [["", "both"], ...WAYS.map((way) => [way, way])]) : null,
      select("drawn", "Chosen", drawn),
      select("a", "Where this row …", rows), select("b", "… and this one differ", rows),
      labelled("Words", make("input", { type: "search", id: "gallery-text", autocomplete: "off", oninput: heard })),
      make("fieldset", { class: "gallery-rows" }, make("legend", {}, "Rows shown"), ...here.rows.map(rowBox)),
    ].filter(Boolean);
  }

  function sentences() {
    const here = section();
    const chance = here.examples.filter((one) => one.drawn === "chance").length;
    const differ = here.examples.length - chance;
    const of = `${here.of.toLocaleString("en")} examples of ${here.data || "the data"} (${here.split})`;
    const isSeeing = here.rows.filter((row) => !row.blind && !row.why).length > 1 && here.rows.some((row) => row.blind);
    const seeing = isSeeing ? "of rows that see" : "of rows";
    const apart = differ ? `, and ${differ} more, no two of one picture, where scores ${seeing}, averaged over seeds, differ most` : "";
    const right = { vqa: ` Right is ${RIGHT} % or more.`, retrieval: ` Right is one of the first ${FIRST} places.` };
    const best = isRetrieval() ? "nearness to the first place" : "score";
    return `${chance} of ${of}, drawn by chance, the same for every row and seed${apart}. ` +
      `Beside an answer: ${here.score}.${right[here.kind] || ""} ` +
      `Of two rows that are compared, only examples where they differ, the first row's greatest lead in ${best} first.`;
  }

  function enter(at) {
    const seed = section().seeds[chosen.seed];
    Object.assign(chosen, { section: at, many: AT_ONCE }, FILTERS);
    const here = section();
    chosen.seed = Math.max(0, here.seeds.indexOf(seed));
    const open = here.rows.map((_, row) => row).filter((row) => !chosen.hidden.has(here.rows[row].name));
    chosen.rows = new Set(open.slice(0, MOST_ROWS));
    parts.controls.replaceChildren(...controls());
    const notes = here.notes.map((note) => make("p", { class: "gallery-note", dir: "auto" }, note));
    parts.notes.replaceChildren(make("p", {}, sentences()), ...notes);
    fill(false);
  }

  function title(one) {
    const twins = data.sections.filter((other) => other.grid === one.grid && other.task === one.task);
    const grids = new Set(data.sections.map((other) => other.grid));
    const on = twins.length > 1 ? `${one.data} ${one.split} (${twins.indexOf(one) + 1})` : "";
    return [grids.size > 1 ? one.grid : "", one.task, on].filter(Boolean).join(" · ");
  }

  function build() {
    home.append(make("h2", {}, "Gallery"));
    if (!data.sections.length) {
      home.append(make("p", {}, `No finished cell here keeps predictions to show${data.empty ? `: ${data.empty}` : ""}.`));
      return;
    }
    const titles = data.sections.map((one, at) => [at, title(one)]);
    const tasks = select("section", "Task", titles, (at) => enter(Number(at)));
    const more = () => { chosen.many += AT_ONCE; fill(true); };
    parts.controls = make("div", { class: "gallery-controls" });
    parts.notes = make("div", { class: "gallery-notes" });
    parts.count = make("p", { class: "gallery-count", role: "status" });
    parts.cards = make("div", { class: "gallery-cards" });
    parts.more = make("button", { type: "button", id: "gallery-more", onclick: more }, "Show more");
    home.append(make("div", { class: "gallery-tasks" }, tasks), parts.controls, parts.notes);
    home.append(parts.count, parts.cards, parts.more);
    enter(0);
  }

  build();
})();
