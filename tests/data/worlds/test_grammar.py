"""Captions: different, complete, and saying one scene only; read back by a parser that knows nothing of the grammar."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import pytest

from tests.data.worlds.sign_reader import briefly, exactly, true_of
from vlpbench.data.worlds import shape_scenes, sign_scenes
from vlpbench.data.worlds.digit_scenes import DigitsConfig, lexicon, plan
from vlpbench.data.worlds.grammar import captions, oracle, rewrites
from vlpbench.data.worlds.scene import Scene, Thing
from vlpbench.data.worlds.shape_scenes import ShapesConfig
from vlpbench.data.worlds.sign_scenes import SignsConfig
from vlpbench.data.worlds.words import PAINTS, Lexicon, counts
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


def labels_of(scene: Scene, words: Lexicon) -> list[dict[str, str]]:
    return [{name: words.word(name, value) for name, value in thing.attributes.items()} for thing in scene.things]


@pytest.mark.parametrize(("exact", "least", "most"), [(1.0, 1.0, 1.0), (0.8, 0.76, 0.84), (0.2, 0.16, 0.24), (0, 0, 0)])
def test_the_share_of_exact_captions_is_as_wanted_and_all_are_true(exact: float, least: float, most: float) -> None:
    config = SignsConfig(train=150, val=1, test=1, shapes=9, digits=10, exact=exact, signs_max=4)
    words, rng = sign_scenes.lexicon(config), generator(0, "captions")
    told = numbers = 0
    for scene in sign_scenes.plan(config, "signs", 1).scenes["train"]:
        rows = labels_of(scene, words)
        for caption in captions(scene, words, rng):
            said = briefly(caption)
            if said is None:
                assert true_of(exactly(caption)[0], rows)
                assert len(exactly(caption)[0]) == len(rows)
            else:
                assert 1 <= len(said) <= len(rows)
                assert true_of(said, rows), (caption, rows)
                numbers += len(said)
            told += said is None
        assert len(exactly(oracle(scene, words))[0]) == len(rows), "the oracle is never brief"
    assert least <= told / 750 <= most
    assert exact == 1 or 1.5 < numbers / (750 - told) < 2.5, "brief captions name some of the signs"


def test_brief_captions_use_every_wording_and_synonyms() -> None:
    words, rng = sign_scenes.lexicon(SignsConfig(exact=0, synonyms=0.3)), generator(0, "x")
    circle = Thing(dict.fromkeys(words.words, 0), (0, 0, 8, 8))
    said = Counter(caption for _ in range(200) for caption in captions(Scene((circle,)), words, rng))
    assert {"circle", "red circle", "circle, red", "large circle", "a circle at the top left", "red sign",
            "a red sign at the top left", "large red circle"} <= set(said)
    assert {"disc", "big circle", "a disc at the upper left"} <= set(said)
    assert 0.05 < said["red sign"] / said.total() < 0.2


def test_worlds_that_are_never_brief_draw_nothing_for_it() -> None:
    """Their captions are those that they had before there were brief ones."""
    config = ShapesConfig(train=20, val=1, test=1)
    words = shape_scenes.lexicon(config)
    (scene, *_) = shape_scenes.plan(config, "shapes", 1).scenes["train"]
    said = captions(scene, words, generator(0, "x"))
    assert said == captions(scene, dataclasses.replace(words, brief=("{kind}",)), generator(0, "x"))
    assert said != captions(scene, dataclasses.replace(words, brief=("{kind}",), exact=0.999), generator(0, "x"))


def test_rewrites_are_true_where_captions_are_brief() -> None:
    config = SignsConfig(train=40, val=1, test=1, exact=0.5)
    words, rng = sign_scenes.lexicon(config), generator(0, "x")
    for scene in sign_scenes.plan(config, "signs", 1).scenes["train"]:
        said = captions(scene, words, rng)
        for caption in rewrites(scene, words, rng, said):
            assert caption not in said
            assert true_of(briefly(caption) or exactly(caption)[0], labels_of(scene, words))
