"""The page as a person uses it, in a real browser: sorting, filtering, colours, a telephone, hostile names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vlpbench.results import load
from vlpbench.results.page.page import write_page

NASTY = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script><!-- <script>",
    "a\u2028b & &amp; {{ 7 * 7 }}", "javascript:alert(1)", "__proto__",
)
COLOURS = """(() => {
  const style = getComputedStyle(document.documentElement), probe = document.createElement("i");
  document.body.append(probe);
  const light = (name) => {
    probe.style.color = `var(--${name})`;
    const parts = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map((one) => one / 255);
    const [r, g, b] = parts.map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const worst = ["ink", "soft", "accent", "good", "bad"].flatMap(
    (one) => ["paper", "card"].map((under) => contrast(one, under)));
  probe.remove();
  return Math.min(...worst);
})()"""
IS_DARK = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)[0] < 100"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page of `shown` is, once it has been written."""
    return tmp_path_factory.mktemp("kept") / "x.html"


@pytest.fixture
def shown(grid: Any, tab: Any, kept: Path) -> Any:
    """A page of three rows, one of which lacks a task and has a cell that failed; it is open."""
    if not kept.exists():
        for seed in range(2):
            grid.done("middle", seed, {"accuracy": 9.5 + seed, "CIDEr": 1.0}, settings={"optim": {"lr": 0.1}})
            grid.done("best", seed, {"accuracy": 80.0, "CIDEr": 0.5}, settings={"optim": {"lr": 0.5}})
            grid.done("least", seed, {"accuracy": 2.0}, settings={"optim": {"lr": 0.1}})
        grid.failed("least", 2, "loss is nan")
        write_page(load(grid.folder), kept, None, "middle")
    tab.open(kept)
    return tab


def of_all(tab: Any, selector: str, expression: str) -> list[Any]:
    """The value of an expression in `one`, for every element that a selector finds and that is not hidden."""
    found = f"[...document.querySelectorAll({json.dumps(selector)})].filter((one) => one.checkVisibility())"
    return list(tab.run(f"{found}.map((one) => {expression})"))


def rows(tab: Any, within: str = "#scores tbody.rows") -> list[str]:
    """Heads of the lines that are seen, in their order."""
    return of_all(tab, f"{within} > tr > th", "one.textContent")


def is_well(tab: Any) -> bool:
    assert tab.troubles() == [] and tab.requests() == []
    return True


def test_sorting(shown: Any) -> None:
    head = "#scores thead tr:last-child th:nth-child(2)"
    assert rows(shown) == ["middle", "best", "least"]
    for way, order in [
        ("ascending", ["least", "middle", "best"]), ("descending", ["best", "middle", "least"]),
        ("none", ["middle", "best", "least"]),
    ]:
        shown.click(f"{head} button")
        assert (rows(shown), shown.run(f"document.querySelector('{head}').ariaSort")) == (order, way)
    heads = of_all(shown, "#scores thead tr:last-child > *", "one.textContent")
    button = f"#scores thead tr:last-child > :nth-child({heads.index('CIDEr ×100') + 1}) button"
    shown.run(f"document.querySelector('{button}').focus()")
    shown.press("Enter")
    assert rows(shown) == ["best", "middle", "least"], "by number, what has none last"
    shown.press(" ")
    assert rows(shown) == ["middle", "best", "least"], "what has none is last downwards, too"
    assert shown.run("document.querySelectorAll('#scores [aria-sort]:not([aria-sort=none])').length") == 1
    assert shown.texts("#scores tbody.floors th") == ["chance", "majority"]
    shown.click("#scores thead tr:last-child th:first-child button")
    assert rows(shown) == ["best", "least", "middle"]
    assert is_well(shown)


def test_sorting_by_what_is_written(shown: Any) -> None:
    heads = of_all(shown, "#differences thead tr:last-child > *", "one.textContent")
    body = "document.querySelector('#differences tbody.rows')"
    for name, texts in [
        ("95 % interval", ["–", "[+1.0, +2.0]", "[−3.5, +1.0]", "[−10.2, −3.0]"]),
        ("better in", ["100%", "–", "9%", "17%"]), ("score", ["17 examples", "–", "9 examples", "a"]),
    ]:
        at = heads.index(name)
        line = f"for (let place = 0; place <= {at}; place += 1) line.insertCell().textContent = text; return line;"
        made = f"{{ const line = document.createElement('tr'); {line} }}"
        shown.run(f"{body}.replaceChildren(...{json.dumps(texts)}.map((text) => {made}))")
        button = f"#differences thead tr:last-child > :nth-child({at + 1}) button"
        shown.click(button)
        wanted = {"95 % interval": [3, 2, 1, 0], "better in": [2, 3, 0, 1], "score": [2, 0, 3, 1]}[name]
        seen = f"[...{body}.rows].map((line) => line.cells[{at}].textContent)"
        assert shown.run(seen) == [texts[one] for one in wanted]
        shown.click(button)
        assert shown.run(seen) == [*(texts[one] for one in wanted[-2::-1]), "–"], "missing: last"
    assert is_well(shown)


def test_filtering(shown: Any) -> None:
    shown.run("document.getElementById('every-cell').open = true")
    shown.write("#filter", "ST")
    assert rows(shown) == rows(shown, ".overview tbody") == ["best", "least"]
    assert set(rows(shown, ".cells tbody")) == set(rows(shown, "#differences tbody.rows")) == {"best", "least"}
    assert shown.texts("#matches") == ["2 of 3 rows"]
    shown.write("#filter", "")
    assert len(rows(shown)) == 3 and shown.texts("#matches") == [""]
    shown.run("document.getElementById('task').value = 'captioning'")
    shown.run("document.getElementById('task').dispatchEvent(new Event('change'))")
    said = " ".join(of_all(shown, "#scores thead th", "one.textContent"))
    assert "captioning" in said and "CIDEr" in said and "acc." not in said and "vqa" not in said
    cells = "[...one.cells].filter((cell) => !cell.hidden).length"
    assert set(of_all(shown, "#scores tbody tr", cells)) == set(of_all(shown, "#scores thead tr:last-child", cells))
    scores = of_all(shown, "#differences tbody.rows tr", "one.cells[1].textContent")
    assert scores and {one.split()[0] for one in scores} == {"captioning"}
    assert is_well(shown)


def test_light_and_dark(shown: Any) -> None:
    assert not shown.run(IS_DARK) and shown.run(COLOURS) >= 4.5 and shown.texts("#theme") == ["Dark"]
    shown.click("#theme")
    assert shown.run(IS_DARK) and shown.texts("#theme") == ["Light"]
    shown.tell("Page.reload")
    shown.run("new Promise((done) => setTimeout(done, 200))")
    assert shown.run(IS_DARK) and shown.texts("#theme") == ["Light"], "what was chosen is remembered"
    shown.click("#theme")
    assert not shown.run(IS_DARK)
    shown.run("localStorage.clear()")
    shown.media(prefers_color_scheme="dark")
    assert not shown.run(IS_DARK), "the button is stronger than the system"
    shown.run("delete document.documentElement.dataset.theme")
    assert shown.run(IS_DARK) and shown.run(COLOURS) >= 4.5
    shown.media("print", prefers_color_scheme="dark")
    assert not shown.run(IS_DARK), "paper is white"
    assert shown.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert is_well(shown)


def test_a_telephone(shown: Any) -> None:
    shown.size(390, phone=True)
    shown.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    shown.run("document.querySelectorAll('.open').forEach((one) => one.click())")
    assert shown.run("document.scrollingElement.scrollWidth") <= 390 >= shown.run("innerWidth")
    assert set(of_all(shown, ".box", "getComputedStyle(one).overflowX")) == {"auto"}
    assert min(of_all(shown, "#filter, #theme, #task, .open", "one.offsetHeight")) >= 30
    shown.run("document.getElementById('theme').textContent = 'Light'")
    assert max(of_all(shown, "#theme", "one.offsetHeight")) < 40, "its word is in one line"
    assert min(of_all(shown, "nav a, .sort", "Math.min(one.offsetHeight, one.offsetWidth)")) >= 24, "for a finger"


def test_a_cells_settings(shown: Any) -> None:
    shown.run("document.getElementById('every-cell').open = true")
    button = ".cells tbody tr:nth-child(3) .open"  # the first cell of the second row
    shown.click(button)
    assert shown.texts(".details .other") == ["0.5"]
    assert shown.run(f"document.querySelector('{button}').ariaExpanded") == "true"
    assert "budget.samples" not in of_all(shown, ".details dt", "one.textContent")
    shown.click(".details button")
    assert "budget.samples" in of_all(shown, ".details dt", "one.textContent")
    shown.click(".cells thead th:first-child button")
    assert of_all(shown, ".details", "one.previousElementSibling.cells[0].textContent") == ["best"]
    shown.run("document.querySelector('.open[aria-expanded=true]').click()")
    assert shown.run("document.querySelector('.details').hidden") is True
    shown.click(".overview tbody tr:last-child a[data-state=failed]")
    shown.run("new Promise((done) => setTimeout(done, 50))")
    assert "loss is nan" in " ".join(shown.texts(".details:not([hidden]) dd"))
    assert is_well(shown)


def test_names_stay_text(grid: Any, tab: Any, tmp_path: Path) -> None:
    for at, name in enumerate(NASTY):
        grid.done(name, 0, {"accuracy": 10.0 * at}, settings={"data": name, "texts": f"{name}{at}"})
    grid.failed(NASTY[0], 1, NASTY[1])
    path = grid.folder / "grid.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"description": NASTY[2]}), encoding="utf-8")
    write_page(load(grid.folder), tmp_path / "x.html", None, NASTY[0])
    tab.open(tmp_path / "x.html")
    tab.run("document.querySelectorAll('.open').forEach((one) => one.click())")
    assert rows(tab) == list(NASTY)
    assert tab.run("document.querySelectorAll('img:not([src^=\"data:image/svg+xml\"])').length") == 0
    assert tab.run("document.querySelectorAll('script').length") == 2, "our data and our script"
    assert NASTY[2] in tab.texts("header p")[0] and NASTY[1] in tab.texts(".details dd")
    assert set(NASTY) <= set(tab.texts("#settings tbody th"))
    assert is_well(tab)


def test_without_scripts(shown: Any, kept: Path) -> None:
    shown.tell("Emulation.setScriptExecutionDisabled", value=True)
    shown.open(kept)
    assert rows(shown) == ["middle", "best", "least"] and "80.0" in " ".join(shown.texts("#scores td"))
    assert shown.run("document.querySelector('.sort')") is None, "no script has run"
    assert of_all(shown, ".tools, .open", "one.className") == [], "what would do nothing is not there"


def test_long_texts_take_no_more_than_their_place(grid: Any, tab: Any, tmp_path: Path) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    grid.failed("a", 1, "so much went wrong " * 5_000)
    path = grid.folder / "grid.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"description": "word " * 2_000}), encoding="utf-8")
    size = write_page(load(grid.folder), tmp_path / "x.html", None)
    tab.open(tmp_path / "x.html")
    tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert size < 200_000 and max(of_all(tab, "header p, td.reason", "one.offsetHeight")) < 260
    assert "characters left out" in tab.texts("td.reason")[1] and is_well(tab)


def test_a_tall_plot_can_be_read(grid: Any, tab: Any, tmp_path: Path) -> None:
    for at in range(40):
        grid.done(f"row number {at}", 0, {"accuracy": 1.0 + at})
    write_page(load(grid.folder), tmp_path / "x.html", None)
    tab.open(tmp_path / "x.html")
    inches = "one.offsetWidth / (one.naturalWidth / 96)"
    assert min(of_all(tab, "#plots img", inches)) > 96, "no plot is smaller than in print"
    tab.size(390, phone=True)
    assert tab.run("document.scrollingElement.scrollWidth") <= 390


def test_even_a_slip_runs_nothing(grid: Any, tab: Any, tmp_path: Path) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    path = tmp_path / "x.html"
    write_page(load(grid.folder), path, None)
    bad = "document.title = 'ran'"
    slip = f'<script>{bad}</script><img src=x onerror="{bad}"><p style="color: red">x</p>'
    path.write_text(path.read_text(encoding="utf-8").replace("</main>", f"{slip}</main>"), encoding="utf-8")
    tab.open(path)
    assert tab.run("document.title") != "ran"
    assert len([said for said in tab.troubles() if "Content Security Policy" in said]) >= 3
