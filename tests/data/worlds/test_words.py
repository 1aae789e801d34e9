"""Words: articles, names of places, colours that can be told apart."""

from __future__ import annotations

import itertools

import pytest

from vlpbench.data.worlds.words import COLOURS, PAINTS, RELATION, Form, Lexicon, articled, counts, places


@pytest.mark.parametrize(("said", "right"), [
    ("a 8 in red", "an 8 in red"), ("a eight", "an eight"), ("a orange one", "an orange one"), ("a one", "a one"),
    ("a 1 and a 8", "a 1 and an 8"), ("a 80", "a 80"), ("is there a 8", "is there an 8"), ("a red 3", "a red 3"),
    ("banana apple", "banana apple"),
])
def test_articled(said: str, right: str) -> None:
    assert articled(said) == right


def test_counts() -> None:
    assert counts(3) == ("3", "three")
    assert counts(12) == ("12",)


def test_places_of_two_and_three_cells_a_side() -> None:
    assert [words[0] for words in places(2)] == ["top left", "top right", "bottom left", "bottom right"]
    assert places(2)[3] == ("bottom right", "lower right")
    three = places(3)
    assert len(three) == 9
    assert three[4] == ("centre",)
    assert three[1][0] == "top middle"
    every = [word for words in three for word in words]
    assert len(set(every)) == len(every), "no word means two places"


def test_paints_are_far_apart() -> None:
    assert len(COLOURS) == len(PAINTS) == 8
    for (_, a), (_, b) in itertools.combinations(PAINTS.items(), 2):
        assert sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) > 80**2
    assert all(max(paint) >= 200 for paint in PAINTS.values()), "bright on the dark background"


def test_answer_kinds_of_vqa() -> None:
    hows = ("find", "exists", "holds", "count", "total")
    kinds = {how: Form(how, "w", "k", 1.0).answer_kind for how in hows}  # type: ignore[arg-type]
    assert kinds == {"find": "other", "exists": "yes/no", "holds": "yes/no", "count": "number", "total": "number"}


def test_the_words_of_a_blank() -> None:
    words = Lexicon("thing", {"colour": COLOURS, "place": places(3)}, (), (), most=2)
    assert words.grid == 3
    assert words.word("colour", 1) == "green"
    assert [words.word(RELATION, n) for n in range(4)] == ["left of", "right of", "above", "below"]
    with pytest.raises(KeyError):
        words.word("smell", 0)
