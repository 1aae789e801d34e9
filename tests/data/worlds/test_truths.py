"""What a scene answers: every form on one scene, known answers, and questions that have none."""

from __future__ import annotations

import pytest

from vlpbench.data.worlds import sign_scenes
from vlpbench.data.worlds.scene import Scene, Thing
from vlpbench.data.worlds.shape_scenes import ShapesConfig, lexicon
from vlpbench.data.worlds.sign_scenes import SignsConfig
from vlpbench.data.worlds.truths import Facts, possible, truth, ways_to_say, wordings
from vlpbench.data.worlds.words import Form, Lexicon

WORDS = lexicon(ShapesConfig())
BOX = (0, 0, 8, 8)
SCENE = Scene((
    Thing({"kind": 0, "colour": 0, "size": 0, "place": 0}, BOX),  # large red circle, top left
    Thing({"kind": 1, "colour": 2, "size": 1, "place": 4}, BOX),  # small blue square, centre
    Thing({"kind": 1, "colour": 3, "size": 0, "place": 8}, BOX),  # large yellow square, bottom right
    Thing({"kind": 3, "colour": 2, "size": 0, "place": 6}, BOX),  # large blue cross, bottom left
))


def ask(question: str, scene: Scene = SCENE, words: Lexicon = WORDS) -> str | None:
    found = [
        (form, values) for form in words.forms for values, text in wordings(form, words) if text == question
    ]
    assert len(found) == 1, question
    return truth(*found[0], Facts(scene, words))


@pytest.mark.parametrize(("question", "answer"), [
    ("what shape is red", "circle"), ("what shape is blue", None), ("what shape is green", None),
    ("what shape is large and blue", "cross"), ("what colour is the small square", "blue"),
    ("what colour is the square", None), ("what shape is at the centre", "square"), ("what size is the cross", "large"),
    ("where is the circle", "top left"), ("what colour is the shape above the cross", None),
    ("what shape is left of the shape in yellow", None), ("what colour is the shape right of the cross", None),
    ("what size is the shape left of the square", None), ("what shape is below the shape in red", None),
    ("is any shape yellow", "yes"), ("is there a moon", "no"), ("is there a small square", "yes"),
    ("is there a small circle", "no"), ("is the circle above the cross", "yes"),
    ("is the circle left of the cross", "no"), ("is the square above the cross", None),
    ("is the circle above the circle", None), ("how many shapes are there", "4"), ("how many shapes are blue", "2"),
    ("how many shapes are large", "3"), ("how many shapes are right of the cross", "2"),
    ("how many shapes are above the square", None), ("how many shapes are below the cross", "0"),
])
def test_known_answers(question: str, answer: str | None) -> None:
    assert ask(question) == answer


def test_a_relation_that_picks_one_thing() -> None:
    two = Scene(SCENE.things[:2])
    form = next(form for form in WORDS.forms if form.wording == "what colour is the shape {} the {}")
    asked = "what colour is the shape right of the circle"
    right = next(values for values, text in wordings(form, WORDS) if text == asked)
    assert truth(form, right, Facts(two, WORDS)) == "blue"


def test_every_wording_is_there_once() -> None:
    texts = [text for form in WORDS.forms for _, text in wordings(form, WORDS)]
    assert len(set(texts)) == len(texts)
    assert all("{" not in text for text in texts)
    pairs = next(form for form in WORDS.forms if form.how == "holds")
    assert len(wordings(pairs, WORDS)) == 8 * 4 * 8


def test_ways_to_say_an_answer() -> None:
    by_how = {form.how: form for form in reversed(WORDS.forms)}
    assert ways_to_say("circle", by_how["find"], WORDS) == ("circle", "disc")
    assert ways_to_say("2", by_how["count"], WORDS) == ("2", "two")
    assert ways_to_say("no", by_how["exists"], WORDS) == ("no",)


def test_possible_answers() -> None:
    assert possible(Form("total", "how many", "", 1), WORDS) == ("2", "3", "4")
    assert possible(Form("count", "how many {}", "", 1, ("size",)), WORDS) == ("0", "1", "2")
    assert possible(Form("holds", "is {} {} {}", "", 1), WORDS) == ("yes", "no")


SIGNS = sign_scenes.lexicon(SignsConfig())


def sign(kind: int, colour: int, size: int, place: int) -> Thing:
    drawn = {"kind": kind, "colour": colour, "size": size, "place": place}
    return Thing(drawn | {name: one.values[drawn[one.of]] for name, one in SIGNS.sortings.items()}, BOX)


SIGNED = Scene((
    sign(0, 0, 0, 0),  # large red circle, top left
    sign(9, 0, 1, 4),  # small red 3, centre
    sign(10, 4, 0, 5),  # large white 4, middle right
    sign(1, 2, 1, 8),  # small blue square, bottom right
))


@pytest.mark.parametrize(("question", "answer"), [
    ("which digit is red", "3"), ("what shape is red", "circle"), ("what colour is the 3", "red"),
    ("which digit is at the centre", "3"), ("what shape is at the centre", None),
    ("which digit is at the top left", None),
    ("which digit is right of the 3", "4"), ("what shape is right of the 3", "square"),
    ("which digit is above the square", None), ("what shape is below the circle", "square"),
    ("which digit is warm", "3"), ("what shape is warm", "circle"), ("which digit is pale", "4"),
    ("what shape is cold", "square"), ("which digit is cold", None), ("what colour is the odd sign", "red"),
    ("what colour is the even sign", "white"), ("where is the round sign", "top left"),
    ("what colour is the sign below the circle", None), ("what size is the sign left of the 3", "large"),
    ("is any sign round", "yes"), ("is any sign angular", "yes"), ("is there a red digit", "yes"),
    ("is there a white shape", "no"), ("is there a blue digit", "no"), ("is the 3 below the circle", "yes"),
    ("is the 3 below the square", "no"), ("how many digits are there", "2"), ("how many shapes are there", "2"),
    ("how many signs are warm", "2"), ("how many signs are even", "1"), ("how many signs are below the 4", "1"),
    ("how many signs are there", "4"),
])
def test_known_answers_about_digits_shapes_and_sorts(question: str, answer: str | None) -> None:
    assert ask(question, SIGNED, SIGNS) == answer


def test_only_what_is_meant_is_a_possible_answer() -> None:
    digit = Form("find", "which digit is {}", "", 1, ("colour",), "kind", among=("class", 1))
    assert possible(digit, SIGNS) == ("0", "1", "2", "3", "4", "5")
    colour = Form("find", "what colour is the digit at {}", "", 1, ("place",), "colour", among=("class", 1))
    assert possible(colour, SIGNS) == ("red", "green", "blue", "yellow", "white", "purple"), "any, of a digit too"
    assert ask("what colour is at the top left", SIGNED, SIGNS) == "red"
    at_top_left, at_centre = (0,), (4,)
    assert truth(colour, at_top_left, Facts(SIGNED, SIGNS)) is None, "there is a circle"
    assert truth(colour, at_centre, Facts(SIGNED, SIGNS)) == "red"
    assert possible(digit, sign_scenes.lexicon(SignsConfig(digits=1))) == ("0",)
