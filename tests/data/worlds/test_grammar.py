"""Captions: different, complete, and saying one scene only; read back by a parser that knows nothing of the grammar."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from vlpbench.data.worlds.digit_scenes import DigitsConfig, lexicon, plan
from vlpbench.data.worlds.grammar import captions, oracle
from vlpbench.data.worlds.scene import Scene, Thing
from vlpbench.data.worlds.words import PAINTS, counts
from vlpbench.streams import generator

NUMERALS = {counts(n)[1]: n for n in range(10)}
PLACE = r"(?:(?:top|upper|bottom|lower|middle) (?:left|middle|right)|centre)"


def parsed(caption: str) -> frozenset[tuple[str, int, str]]:
    """(colour, digit, place) of each thing that a caption names, the place in its first word."""
    found = []
    for phrase in re.split(r", | and ", caption):
        colour = re.findall("|".join(PAINTS), phrase)
        digit = re.findall(rf"\b(?:\d|{'|'.join(NUMERALS)})\b", phrase)
        place = re.findall(PLACE, phrase)
        assert (len(colour), len(digit), len(place)) == (1, 1, 1), phrase
        first = place[0].replace("upper", "top").replace("lower", "bottom")
        found.append((colour[0], int(digit[0]) if digit[0].isdigit() else NUMERALS[digit[0]], first))
    assert len(set(found)) == len(found)
    return frozenset(found)


def meant(scene: Scene, grid: int) -> frozenset[tuple[str, int, str]]:
    rows = ["top", "bottom"] if grid == 2 else ["top", "middle", "bottom"]
    columns = ["left", "right"] if grid == 2 else ["left", "middle", "right"]

    def place(cell: int) -> str:
        name = f"{rows[cell // grid]} {columns[cell % grid]}"
        return "centre" if name == "middle middle" else name

    return frozenset(
        (list(PAINTS)[thing.attributes["colour"]], thing.attributes["kind"], place(thing.attributes["place"]))
        for thing in scene.things
    )


@pytest.mark.parametrize("knobs", [
    {}, {"grid": 3, "digits_max": 9, "classes": 10, "colours": 8}, {"digits_max": 1, "classes": 1, "colours": 1},
])
def test_captions_are_five_different_ones_that_name_everything(knobs: dict[str, int]) -> None:
    config = DigitsConfig(train=120, val=1, test=1, **knobs)
    words, rng = lexicon(config), generator(0, "captions")
    for scene in plan(config, "digits", 1).scenes["train"]:
        said = captions(scene, words, rng)
        assert len(set(said)) == 5
        for caption in (*said, oracle(scene, words)):
            assert parsed(caption) == meant(scene, config.grid)


def test_order_and_wording_vary() -> None:
    things = (Thing({"kind": 3, "colour": 0, "place": 0}, (0, 0, 8, 8)),
              Thing({"kind": 4, "colour": 2, "place": 3}, (0, 0, 8, 8)))
    words, rng = lexicon(DigitsConfig(synonyms=0.3)), generator(0, "x")
    said = [caption for _ in range(200) for caption in captions(Scene(things), words, rng)]
    first = Counter(caption.index("red") < caption.index("blue") for caption in said)
    assert 0.4 < first[True] / len(said) < 0.6, "things are named in a random order"
    assert 0.25 < sum("three" in caption for caption in said) / len(said) < 0.35
    assert len(set(said)) > 80
    orders = {
        tuple(sorted(("red", "3", "top left"), key=caption.index))
        for caption in said
        if all(word in caption for word in ("red", "3", "top left"))
    }
    assert len(orders) == 6, "colour, digit and place come in every order"


def test_no_synonyms_if_none_are_wanted() -> None:
    scene = Scene((Thing({"kind": 3, "colour": 0, "place": 0}, (0, 0, 8, 8)),))
    words, rng = lexicon(DigitsConfig(synonyms=0)), generator(0, "x")
    assert all("3" in caption and "top" in caption for _ in range(50) for caption in captions(scene, words, rng))


def test_the_oracle_is_plain_and_in_reading_order() -> None:
    things = (Thing({"kind": 1, "colour": 2, "place": 3}, (0, 0, 8, 8)),
              Thing({"kind": 8, "colour": 0, "place": 0}, (0, 0, 8, 8)),
              Thing({"kind": 8, "colour": 6, "place": 1}, (0, 0, 8, 8)))
    words = lexicon(DigitsConfig(classes=10, colours=8, digits_max=4))
    said = "a red 8 at the top left, an orange 8 at the top right and a blue 1 at the bottom right"
    assert oracle(Scene(things), words) == said


def test_more_captions_than_wordings_are_refused() -> None:
    scene = Scene((Thing({"kind": 1, "colour": 2, "place": 3}, (0, 0, 8, 8)),))
    with pytest.raises(ValueError, match="wordings"):
        captions(scene, lexicon(DigitsConfig()), generator(0, "x"), number=7)
