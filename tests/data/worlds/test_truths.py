"""What a scene answers: every form on one scene, known answers, and questions that have none."""

from __future__ import annotations

import pytest

from vlpbench.data.worlds.scene import Scene, Thing
from vlpbench.data.worlds.shape_scenes import ShapesConfig, lexicon
from vlpbench.data.worlds.truths import Facts, possible, truth, ways_to_say, wordings
from vlpbench.data.worlds.words import Form

WORDS = lexicon(ShapesConfig())
BOX = (0, 0, 8, 8)
SCENE = Scene((
    Thing({"kind": 0, "colour": 0, "size": 0, "place": 0}, BOX),  # large red circle, top left
    Thing({"kind": 1, "colour": 2, "size": 1, "place": 4}, BOX),  # small blue square, centre
    Thing({"kind": 1, "colour": 3, "size": 0, "place": 8}, BOX),  # large yellow square, bottom right
    Thing({"kind": 3, "colour": 2, "size": 0, "place": 6}, BOX),  # large blue cross, bottom left
))


def ask(question: str) -> str | None:
    found = [
        (form, values) for form in WORDS.forms for values, text in wordings(form, WORDS) if text == question
    ]
    assert len(found) == 1, question
    return truth(*found[0], Facts(SCENE, WORDS))


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
