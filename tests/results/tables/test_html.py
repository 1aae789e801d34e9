"""HTML: well-formed, escaped, sortable by what numbers are and not by how they are printed."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from vlpbench.results.tables import Column, Entry, Line, Table
from vlpbench.results.tables.html import html


class Reader(HTMLParser):
    """Tags that are opened and closed in order, and the text and attributes of each cell of each line."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.lines: list[list[tuple[str, str, dict[str, str | None]]]] = []
        self.seen: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.append(tag)
        if tag == "tr":
            self.lines.append([])
        if tag in ("td", "th"):
            self.lines[-1].append((tag, "", dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            tag, text, attributes = self.lines[-1][-1]
            self.lines[-1][-1] = (tag, text + data, attributes)


def test_cells(scores: Table) -> None:
    lines = Reader(html(scores)).lines
    texts = [[text for _, text, _ in line] for line in lines]
    assert texts[0] == ["", "vqa", "captioning", ""]
    assert [said.get("colspan", "1") for _, _, said in lines[0]] == ["1", "3", "1", "1"]
    assert texts[1] == ["row", "acc.", "published", "Δ", "CIDEr ×100", "stem"]
    assert texts[2] == ["none", "34.6 ± 1.6 (n=4/5)†", "49.70", "–", "122.1 ± 26.6", "conv3"]
    assert texts[4] == ["contrastive", "57.0 ± 1.1", "–", "0.0 ± 0.2", "n/a: needs decode", "conv_2"]
    assert {len(line) for line in lines[1:]} == {6}


def test_numbers_say_their_value_and_texts_none(scores: Table) -> None:
    lines = Reader(html(scores)).lines
    values = [[said.get("data-value") for _, _, said in line[1:]] for line in lines[2:]]
    assert values == [
        ["34.6", "49.7", None, "122.1", None], ["63.4", "67.43", "28.8", "305.3", None],
        ["57.0", None, "-0.04", None, None], ["5.5", None, None, "68.3", None],
    ]
    assert lines[4][4][2]["class"] == "score missing" and lines[3][1][2]["class"] == "score best"
    assert {said["scope"] for line in lines[2:] for tag, _, said in line if tag == "th"} == {"row"}
    assert {said.get("scope") for tag, _, said in lines[1]} == {"col"}


@pytest.mark.parametrize(("value", "said"), [
    (float("inf"), "Infinity"), (float("-inf"), "-Infinity"), (float("nan"), None), (1e-7, "1e-07"), (3, "3.0"),
])
def test_numbers_are_what_a_script_reads(value: float, said: str | None) -> None:
    (_, cells) = Reader(html(Table((Column("x"),), (Line("a", (Entry(value),)),)))).lines
    assert cells[1][2].get("data-value") == said


def test_floors_have_a_body_of_their_own(scores: Table) -> None:
    rows, floors = html(scores).split('<tbody class="floors">')
    assert rows.count("<tr>") == 5 and floors.count("<tr>") == 1 and "chance" in floors
    assert "floors" not in html(Table(scores.columns, scores.lines[:2]))


def test_nothing_that_is_typed_is_read_as_html(odd: Table, active: str) -> None:
    lines = Reader(html(odd)).lines
    assert [text for _, text, _ in lines[1]] == [active] * 3
    assert [text for _, text, _ in lines[2]] == [active, "−1.25 ± 0.50*", active]
    attack = '"><script>alert(1)</script><img src=x onerror="y">'
    line = Line(attack, (Entry(text=attack, mark=attack),))
    table = Table((Column(attack, attack),), (line,), head=attack, caption=attack, notes=(attack,))
    assert not {"script", "img"} & set(Reader(html(table)).seen)


def test_caption_and_notes(scores: Table) -> None:
    written = html(scores)
    assert "<caption>Mean ± standard deviation over 5 seeds, 10% of the pairs.</caption>" in written
    assert written.endswith(
        '<ul class="notes">\n<li>answers normalised by rule <code>always</code></li>\n'
        "<li>cell a_b failed: out of memory &amp; time</li>\n</ul>"
    )
    assert html(Table((Column("x"),), ())).count("\n") == 4, "without caption, notes, lines: a head"
