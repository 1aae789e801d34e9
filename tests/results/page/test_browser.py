"""The tests' browser itself: it clicks, types, and hears what goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

PAGE = """<!doctype html><title>x</title><style>
p { color: red } @media (prefers-color-scheme: dark) { p { color: blue } }
</style><p>one</p><p>two</p><button>go</button><input value="old"><div id="wide" style="width: 50vw"></div>
<script>
document.querySelector("button").addEventListener("click", () => { document.title += "!" });
</script>"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_it_reads_clicks_and_types(tab: Any, page: Path) -> None:
    tab.open(page)
    assert tab.texts("p") == ["one", "two"]
    tab.click("button")
    tab.run("document.querySelector('button').focus()")
    tab.press("Enter")
    tab.press(" ")
    assert tab.run("document.title") == "x!!!"
    tab.write("input", "né\u2028w")
    assert tab.run("document.querySelector('input').value").startswith("né")
    tab.write("input", "")
    assert tab.run("document.querySelector('input').value") == ""
    assert not tab.troubles() and not tab.requests()


def test_it_has_widths_schemes_and_pictures(tab: Any, page: Path, tmp_path: Path) -> None:
    tab.open(page)
    colour = "getComputedStyle(document.querySelector('p')).color"
    assert tab.run(colour) == "rgb(255, 0, 0)"
    tab.media(prefers_color_scheme="dark")
    assert tab.run(colour) == "rgb(0, 0, 255)"
    tab.size(390, phone=False)
    assert tab.run("document.getElementById('wide').offsetWidth") == 195
    assert tab.picture(tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("slip", "word"), [
    ("<script>throw new Error('ouch')</script>", "ouch"),
    ("<script>console.error('oh dear')</script>", "oh dear"),
    ("<meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\"><script>1</script>", "Content Security"),
])
def test_it_hears_what_goes_wrong(tab: Any, tmp_path: Path, slip: str, word: str) -> None:
    path = tmp_path / "bad.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{slip}", encoding="utf-8")
    tab.open(path)
    assert word in " ".join(tab.troubles())


def test_it_hears_what_is_asked_for(tab: Any, tmp_path: Path) -> None:
    path = tmp_path / "asks.html"
    images = "<img src='missing.png'><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>"
    path.write_text(f"<!doctype html>{images}", encoding="utf-8")
    tab.open(path)
    assert [one.rpartition("/")[2] for one in tab.requests()] == ["missing.png"]


def test_what_is_covered_cannot_be_clicked(tab: Any, tmp_path: Path) -> None:
    path = tmp_path / "covered.html"
    path.write_text("<!doctype html><button>under</button><div style='position: fixed; inset: 0'></div>", "utf-8")
    tab.open(path)
    with pytest.raises(AssertionError, match="lies on button"):
        tab.click("button")
