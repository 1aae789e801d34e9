"""What an entry reads as: signs, digits, n, marks; and a frame of it."""

from __future__ import annotations

import pytest

from vlpbench.results.tables import Column, Entry, Line, Table
from vlpbench.results.tables.entry_text import (
    frame,
    groups,
    heads,
    one_line,
    pieces_of,
    prose,
    text_of,
    unique,
    unsaid_notes,
)


@pytest.mark.parametrize(("entry", "kind", "text"), [
    (Entry(34.62, 1.58, seeds=(4, 5), mark="*"), "score", "34.6 ± 1.6 (n=4/5)*"),
    (Entry(34.62, 1.58, seeds=(5, 5)), "score", "34.6 ± 1.6"),
    (Entry(2.1, 0.4, mark="*"), "difference", "+2.1 ± 0.4*"),
    (Entry(-2.1, 0.4), "difference", "−2.1 ± 0.4"),
    (Entry(-0.04, 0.04), "difference", "0.0 ± 0.0"),
    (Entry(-2.1), "score", "−2.1"),
    (Entry(67.43, decimals=2), "published", "67.43"),
    (Entry(36000.0, decimals=0), "score", "36,000"),
    (Entry(0.0, decimals=0), "difference", "0"),
    (Entry(float("inf")), "score", "∞"),
    (Entry(float("-inf")), "score", "−∞"),
    (Entry(5.0, float("nan")), "score", "5.0"),
    (Entry(float("nan"), 1.0), "score", "–"),
    (Entry(), "score", "–"),
    (Entry(text="failed", mark="†"), "score", "failed†"),
    (Entry(text="n/a: needs decode", seeds=(0, 5)), "score", "n/a: needs decode"),
])
def test_text(entry: Entry, kind: str, text: str) -> None:
    assert text_of(entry, kind) == text  # type: ignore[arg-type]


def test_pieces_are_what_formats_set_differently() -> None:
    said = pieces_of(Entry(34.6, 1.6, seeds=(4, 5), mark="†"))
    assert (said.main, said.seeds, said.mark) == ("34.6 ± 1.6", "n=4/5", "†")


def test_a_frame_of_texts(scores: Table) -> None:
    texts = frame(scores)
    assert texts.columns.tolist() == ["vqa acc.", "vqa published", "vqa Δ", "captioning CIDEr ×100", "stem"]
    assert (texts.index.name, texts.index.tolist()) == ("row", ["none", "prefix-lm", "contrastive", "chance"])
    assert texts.loc["none"].tolist() == ["34.6 ± 1.6 (n=4/5)†", "49.70", "–", "122.1 ± 26.6", "conv3"]
    assert texts.loc["prefix-lm", "vqa Δ"] == "+28.8 ± 3.1*"
    assert texts.loc["contrastive", "vqa Δ"] == "0.0 ± 0.2"


def test_a_frame_of_nothing() -> None:
    assert frame(Table((Column("acc."),), ())).shape == (0, 1)
    assert frame(Table((), (Line("a", ()),))).shape == (1, 0)


def test_an_entry_too_few_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="longer"):
        frame(Table((Column("acc."), Column("CIDEr")), (Line("a", (Entry(1.0),)),)))


def test_heads_are_told_apart() -> None:
    assert heads(Table((Column("acc.", "vqa"), Column("acc.", "vqa"), Column("vqa acc.")), ())) == [
        "vqa acc.", "vqa acc. (2)", "vqa acc. (3)"
    ]
    assert unique(["a", "a (2)", "a", "a"]) == ["a", "a (2)", "a (3)", "a (4)"]


def test_groups_are_of_neighbours() -> None:
    columns = [Column("", "vqa"), Column("", "vqa"), Column(""), Column("", "vqa")]
    assert list(groups(columns)) == [("vqa", 2), ("", 1), ("vqa", 1)]
    assert list(groups([])) == []


def test_notes_that_the_caption_says_are_not_said_again() -> None:
    table = Table((), (), caption="Vqa: percent. n = 5.", notes=("n = 5", "vqa: percent", "n = 6"))
    assert unsaid_notes(table) == ["n = 6"]


def test_words_in_backquotes_are_code() -> None:
    assert list(prose("by rule `always`, as ever")) == [("by rule ", False), ("always", True), (", as ever", False)]
    assert list(prose("a lone ` is none")) == [("a lone ` is none", False)]
    assert one_line("a\n b\tc") == "a b c"
