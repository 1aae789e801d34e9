"""The gallery in a real browser: choosing, comparing, searching; texts of data sets stay texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.results import load
from vlpbench.results.page.gallery import gallery
from vlpbench.results.page.shell import asset, embedded, policy

Show = Callable[[Any], Any]
EVIL = '<script>window.hit = 1</script></script><!-- "><img src=x onerror="window.hit = 2"> \u2028 <b>bold</b>'


@pytest.fixture
def show(tab: Any, tmp_path: Path) -> Show:
    """(data) -> the browser's page with a gallery of it, under the policy of real pages."""

    def open_page(data: Any) -> Any:
        styles, scripts = [asset("page.css"), asset("gallery.css")], [asset("gallery.js")]
        path = tmp_path / "gallery.html"
        path.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{policy(styles, scripts)}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'{"".join(f"<style>{one}</style>" for one in styles)}<main><section id="gallery"></section></main>'
            f'<script type="application/json" id="gallery-data">{embedded(data)}</script><script>{scripts[0]}</script>',
            encoding="utf-8",
        )
        tab.open(path)
        return tab

    return open_page


@pytest.fixture
def shown(asked: Any, show: Show) -> Any:
    """The gallery of three rows, two seeds and three tasks."""
    return show(gallery(load(asked.results)))


def pick(tab: Any, name: str, value: Any) -> None:
    """Choose in one of the boxes, as a person does."""
    tab.run(f"(() => {{ const box = document.getElementById('gallery-{name}'); box.value = '{value}';"
            "box.dispatchEvent(new Event('change', {bubbles: true})); })()")


def answers(tab: Any, example: str) -> list[str]:
    """What rows said of one example, as it is read."""
    script = (f"[...[...document.querySelectorAll('.gallery-card')].find(one => one.querySelector('.gallery-facts')"
              f".textContent.includes({example!r})).querySelectorAll('.gallery-answer')].map(one => one.innerText)")
    return [" ".join(one.split()) for one in tab.run(script)]


def ids(tab: Any) -> list[str]:
    return [next(part for part in text.split(" · ") if part[0].isdecimal()) for text in tab.texts(".gallery-facts")]


def test_answers_with_scores_and_seeds(shown: Any) -> None:
    assert shown.texts("#gallery h2") == ["Gallery"]
    assert answers(shown, "60 ·") == ["one y ✗ 0 % · 0.25 sure", "two seed 0 ✗ 0 % · 0.25 sure",
                                      "two, blind saw grey y ✗ 0 % · 0.25 sure"]
    pick(shown, "seed", 1)
    assert answers(shown, "60 ·")[1].startswith("two seed 1")
    assert "given answers: x ×9z" in "".join(shown.texts(".gallery-truth"))
    assert not shown.troubles() and not shown.requests()


def test_rows_can_be_left_out_and_a_row_without_the_task_says_why(shown: Any) -> None:
    shown.click(".gallery-box:nth-of-type(1) input")
    assert [one.split()[0] for one in answers(shown, "10 ·")] == ["two", "two,"]
    pick(shown, "section", 1)
    assert answers(shown, "4 ·") == ["two 200 two 4", "two, blind saw grey n/a: needs decode"]
    assert "(n/a: needs decode)" in "".join(shown.texts(".gallery-rows"))


def test_where_two_rows_differ(shown: Any) -> None:
    pick(shown, "a", 1)
    pick(shown, "b", 0)
    assert ids(shown)[0] == "30" and set(ids(shown)) == {"30", "40", "50", "60"}, "1 and 2 are answered alike"
    assert "two ahead by 100" in shown.texts(".gallery-facts")[0]
    assert answers(shown, "30 ·")[0].startswith("two x")
    pick(shown, "a", 0)
    pick(shown, "b", 1)
    assert ids(shown)[-1] == "30" and "ahead by -100" in shown.texts(".gallery-facts")[-1]
    pick(shown, "b", 0)
    assert len(ids(shown)) == 6, "a row does not differ from itself"


def test_right_and_wrong_words_and_ways(shown: Any) -> None:
    def left(name: str, value: str) -> set[str]:
        pick(shown, name, value)
        return set(ids(shown))

    assert left("right", "some") == {"10", "20", "30"} and left("right", "none") == {"40", "50", "60"}
    assert left("right", "all") == set() and shown.texts(".gallery-count") == ["no example of 6 fits"]
    pick(shown, "right", "")
    shown.write("#gallery-text", "Picture 4")
    assert ids(shown) == ["40"] and shown.texts(".gallery-count") == ["1 of 1 examples that fit, of 6"]
    shown.write("#gallery-text", "")
    assert len(ids(shown)) == 6
    pick(shown, "section", 2)
    assert all("/" in one for one in left("way", "text to image"))
    assert not any("/" in one for one in left("way", "image to text"))


def test_what_was_found_is_marked(shown: Any) -> None:
    pick(shown, "section", 2)
    pick(shown, "way", "text to image")
    strip = "document.querySelector('.gallery-card .gallery-answer:nth-last-of-type(1) .gallery-strip')"
    assert shown.run(f"{strip}.querySelectorAll('img').length") == 5
    assert shown.run(f"[...{strip}.children].map(one => one.className)") == ["gallery-hit", "", "", "", ""]
    assert shown.run("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    pick(shown, "way", "image to text")
    assert shown.texts(".gallery-card:first-child .gallery-answer:last-child .gallery-hit [aria-label]") == ["✓", "✓"]


def many(number: int) -> dict[str, Any]:
    """A gallery of so many examples."""
    example = {"ask": "?", "truth": [["x", 10]], "picture": 0, "drawn": "chance", "said": [[["x", 0.5, 100.0]]]}
    section = {
        "grid": "g", "task": "vqa", "data": "d", "split": "test", "kind": "vqa", "score": "accuracy, %", "of": number,
        "rows": [{"name": "r", "blind": False, "why": ""}], "seeds": [0], "found": [], "notes": [],
        "examples": [{**example, "id": str(at)} for at in range(number)],
    }
    return {"sections": [section], "pictures": [{"why": "picture not on this machine"}]}


def test_more_by_keyboard(show: Show) -> None:
    tab = show(many(30))
    assert tab.texts(".gallery-count") == ["12 of 30 examples"] and len(ids(tab)) == 12
    tab.run("document.getElementById('gallery-more').focus()")
    tab.press("Enter")
    assert len(ids(tab)) == 24
    assert tab.run("[...document.querySelectorAll('.gallery-card')].indexOf(document.activeElement)") == 12
    tab.run("document.getElementById('gallery-more').focus()")
    tab.press(" ")
    assert len(ids(tab)) == 30 and tab.run("document.getElementById('gallery-more').hidden")
    assert tab.texts(".gallery-missing")[0] == "picture not on this machine"


def test_nothing_to_show(show: Show) -> None:
    tab = show({"sections": [], "pictures": []})
    assert tab.texts("#gallery p") == ["No finished cell here keeps predictions to show."]
    assert not tab.troubles()


def test_texts_of_a_data_set_are_never_html(mini: Any, show: Show) -> None:
    mini.questions[1] = mini.texts[2][0] = EVIL
    mini.write()
    retrieval = mini.retrieval()
    mini.cell(EVIL, 0, {"vqa": mini.vqa([], EVIL), "captioning": mini.captioning(EVIL, {}), "retrieval": retrieval})
    tab = show(gallery(load(mini.results)))
    assert EVIL in tab.texts(".gallery-told h3") and EVIL in tab.texts(".gallery-said")
    for section in (1, 2):
        pick(tab, "section", section)
        tab.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert any(EVIL in text for text in tab.texts(".gallery-card li"))
    assert tab.run("window.hit") is None
    assert tab.run("document.querySelectorAll('#gallery script, #gallery b b, [onerror]').length") == 0
    assert not tab.troubles() and not tab.requests()


def test_a_telephone_has_no_sideways_scroll(mini: Any, show: Show) -> None:
    mini.questions[1] = "unbroken" * 40
    mini.write()
    mini.cell("row" * 40, 0, {"vqa": mini.vqa([], "answer" * 30), "retrieval": mini.retrieval()})
    tab = show(gallery(load(mini.results)))
    tab.size(390, 800, phone=True)
    for section in (0, 1):
        pick(tab, "section", section)
        assert tab.run("document.scrollingElement.scrollWidth") <= 390
