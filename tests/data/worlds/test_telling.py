"""Texts about imagined scenes: every one true of its scene, read by rules that know nothing of how it was made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.data.worlds.conftest import related
from tests.data.worlds.sign_reader import SHAPE_WORDS, answer_of, exactly, rule, sorts, true_of
from tests.data.worlds.sign_reader import STATEMENTS as SIGN_STATEMENTS
from vlpbench.data.worlds import digit_scenes, shape_scenes, sign_scenes
from vlpbench.data.worlds.digit_scenes import DigitsConfig
from vlpbench.data.worlds.scene import Scene
from vlpbench.data.worlds.shape_scenes import ShapesConfig
from vlpbench.data.worlds.sign_scenes import SignsConfig
from vlpbench.data.worlds.telling import Teller
from vlpbench.data.worlds.words import PAINTS, Lexicon
from vlpbench.streams import generator

Rows = list[dict[str, Any]]

SHAPES = shape_scenes.lexicon(ShapesConfig(kinds=9))
DIGITS = digit_scenes.lexicon(DigitsConfig(classes=5, digits_max=3))
SIGNS = sign_scenes.lexicon(SignsConfig(shapes=9, digits=10, colours=8))

KIND = "(circle|square|triangle|cross|ring|diamond|bar|moon|star)"
COLOUR = "(red|green|blue|yellow|white|purple)"
SIZE = "(large|small)"
PLACE = "((?:top|middle|bottom) (?:left|middle|right)|centre)"
REL = "(left of|right of|above|below)"

STATEMENTS = [  # what is said, the question it answers, the answer
    (f"the {COLOUR} shape is an? {KIND}", r"what shape is \1", r"\2"),
    (f"the {SIZE} {COLOUR} shape is an? {KIND}", r"what shape is \1 and \2", r"\3"),
    (f"the shape at the {PLACE} is an? {KIND}", r"what shape is at the \1", r"\2"),
    (f"the shape at the {PLACE} is {COLOUR}", r"what colour is at the \1", r"\2"),
    (f"the {KIND} is {COLOUR}", r"what colour is the \1", r"\2"),
    (f"the {SIZE} {KIND} is {COLOUR}", r"what colour is the \1 \2", r"\3"),
    (f"the {KIND} is {SIZE}", r"what size is the \1", r"\2"),
    (f"the {KIND} is at the {PLACE}", r"where is the \1", r"\2"),
    (f"the shape {REL} the {KIND} is {COLOUR}", r"what colour is the shape \1 the \2", r"\3"),
    (f"the shape {REL} the {KIND} is {SIZE}", r"what size is the shape \1 the \2", r"\3"),
    (f"the shape {REL} the shape in {COLOUR} is an? {KIND}", r"what shape is \1 the shape in \2", r"\3"),
    (f"there is an? {COLOUR} shape", r"is any shape \1", "yes"),
    (f"there is an? {KIND}", r"is there a \1", "yes"), (f"there is no {KIND}", r"is there a \1", "no"),
    (f"there is an? {SIZE} {KIND}", r"is there a \1 \2", "yes"),
    (f"there is no {SIZE} {KIND}", r"is there a \1 \2", "no"),
    (f"the {KIND} is {REL} the {KIND}", r"is the \1 \2 the \3", "yes"),
    (f"the {KIND} is not {REL} the {KIND}", r"is the \1 \2 the \3", "no"),
    (r"there are (\d) shapes", "how many shapes are there", r"\1"),
    (f"no shape is ({COLOUR}|{SIZE})", r"how many shapes are \1", "0"),
    (f"no shape is {REL} the {KIND}", r"how many shapes are \1 the \2", "0"),
    (rf"(\d) shapes? (?:is|are) ({COLOUR}|{SIZE})", r"how many shapes are \2", r"\1"),
    (rf"(\d) shapes? (?:is|are) {REL} the {KIND}", r"how many shapes are \2 the \3", r"\1"),
]

def rows_of(scene: Scene, words: Lexicon) -> Rows:
    return [{name: words.word(name, value) for name, value in thing.attributes.items()} for thing in scene.things]


def texts(words: Lexicon, number: int) -> list[tuple[str, Rows]]:
    teller, found = Teller(words, 24), []
    for i in range(number):
        rng = generator(0, "tell", i)
        scene = teller.imagined(rng)
        text = teller.told(scene, rng)
        if text is not None:
            found.append((text, rows_of(scene, words)))
    return found


def question_and_answer(text: str, answered: Callable[[str, Rows], str | None], rows: Rows) -> tuple[str | None, str]:
    """The answer by hand of the question that a text asks or answers, and the answer that it gives."""
    for said, question, answer in STATEMENTS:
        match = re.fullmatch(said, text)
        if match:
            return answered(match.expand(question), rows), match.expand(answer)
    words = text.split()
    last = 2 if words[-1] in ("left", "middle", "right") and words[-2] in ("top", "middle", "bottom") else 1
    return answered(" ".join(words[:-last]), rows), " ".join(words[-last:])


def test_every_text_about_shapes_is_true(
    by_hand: Callable[[str, Rows], str | None], parsed: Callable[[str], tuple[Rows, Any]],
    apart: Callable[..., bool], usual: Callable[[str], str],
) -> None:
    seen: Counter[str] = Counter()
    for text, rows in texts(SHAPES, 3000):
        if any(thing in text for thing in (" has a", "in red at", ", ", " and at ")) or re.search(
                rf"an? {SIZE} {COLOUR} {KIND}|the {SIZE} {COLOUR} {KIND}|an? {SIZE} {KIND} in", usual(text)):
            found, relations = parsed(text)
            assert sorted(map(str, (sorted(row.items()) for row in found))) == sorted(
                map(str, (sorted(row.items()) for row in rows)))
            assert all(apart(found[i], relation, found[j]) for i, relation, j in relations)
            seen["caption"] += 1
            continue
        truth, said = question_and_answer(usual(text), by_hand, rows)
        assert truth == said, (text, rows)
        seen["question" if re.match("what|where|is|how", text) else "statement"] += 1
    assert min(seen.values()) > 600
    assert len(seen) == 3


def digit_answer(question: str, rows: Rows) -> str | None:
    """By hand: the question's last words pick things, its first ones say what is asked."""
    if question == "how many digits are there":
        return str(len(rows))
    place = re.search(r"(?:top|bottom) (?:left|right)$", question)
    key = place.group() if place else question.split()[-1]
    picked = [row for row in rows if key in row.values()]
    if question.startswith("is "):
        return "yes" if picked else "no"
    if question.startswith("how many"):
        return str(len(picked))
    column = {"which": "kind", "what": "colour", "where": "place"}[question.split()[0]]
    return picked[0][column] if len(picked) == 1 else None


DIGIT_STATEMENTS = [
    (rf"the {COLOUR} digit is an? (\d)", r"which digit is \1", r"\2"),
    (rf"the digit at the {PLACE} is an? (\d)", r"which digit is at the \1", r"\2"),
    (rf"the (\d) is {COLOUR}", r"what colour is the \1", r"\2"),
    (f"the digit at the {PLACE} is {COLOUR}", r"what colour is at the \1", r"\2"),
    (f"the {COLOUR} digit is at the {PLACE}", r"where is \1", r"\2"),
    (rf"the (\d) is at the {PLACE}", r"where is the \1", r"\2"),
    (f"there is an? {COLOUR} digit", r"is any digit \1", "yes"), (r"there is an? (\d)", r"is there a \1", "yes"),
    (f"there is a digit at the {PLACE}", r"is any digit at the \1", "yes"),
    (f"no digit is (?:at the )?({COLOUR}|{PLACE})", r"is any digit \1", "no"),
    (r"there is no (\d)", r"is there a \1", "no"),
    (r"there (?:is|are) (\d) digits?", "how many digits are there", r"\1"),
    (rf"(\d) digits? (?:is|are) {COLOUR}", r"how many digits are \2", r"\1"),
    (r"there is an? (\d) once", r"how many times is there a \1", "1"),
    (r"there is an? (\d) (\d) times", r"how many times is there a \1", r"\2"),
]


def test_every_statement_and_answer_about_digits_is_true(usual: Callable[[str], str]) -> None:
    statements = questions = 0
    for text, rows in texts(DIGITS, 2000):
        said = usual(text.replace(",", " ,"))
        for form, question, answer in DIGIT_STATEMENTS:
            match = re.fullmatch(form, said)
            if match:
                assert digit_answer(match.expand(question), rows) == match.expand(answer), (text, rows)
                statements += 1
                break
        else:
            if re.match("which|what|where|is|how", said):
                words = said.split()
                last = 2 if words[0] == "where" else 1
                assert digit_answer(" ".join(words[:-last]), rows) == " ".join(words[-last:]), (text, rows)
                questions += 1
            else:
                assert all(row["colour"] in said and row["kind"] in said and row["place"] in said for row in rows), text
    assert min(statements, questions) > 400


def test_every_text_about_signs_is_true(usual: Callable[[str], str]) -> None:
    seen: Counter[str] = Counter()
    for text, rows in texts(SIGNS, 2400):
        said = usual(text)
        found = rule(said)
        if found is not None:
            of, word = found
            kind, colour = ("bar", of) if of in PAINTS else (of, "red")
            assert word in sorts(kind, colour).values(), text
            seen["rule"] += 1
            continue
        question = re.match("which|what|where|is|how", said)
        if question or any(re.fullmatch(form, said) for form, *_ in SIGN_STATEMENTS):
            truth, answer = answer_of(said, rows)
            assert truth == answer, (text, rows)
            seen["question" if question else "statement"] += 1
            continue
        named, relations = exactly(text)
        assert len(named) == len(rows)
        assert true_of(named, rows)
        assert all(related(named[i], relation, named[j]) for i, relation, j in relations)
        seen["caption"] += 1
    assert min(seen.values()) > 350
    assert len(seen) == 4


def test_the_corpus_teaches_every_sort_of_every_kind_and_colour(usual: Callable[[str], str]) -> None:
    """Captions never say these words: what they mean is learnt from texts, or not at all."""
    teller = Teller(SIGNS, 24)
    told = [usual(teller.tell(generator(3, "tell", i))) for i in range(2500)]
    rules = Counter(found for text in told if (found := rule(text)))
    kinds = [*SHAPE_WORDS, *map(str, range(10))]
    wanted = {(kind, sorts(kind, "red")[name]) for kind in kinds for name in ("class", "nature")}
    wanted |= {(colour, sorts("bar", colour)["warmth"]) for colour in PAINTS}
    assert set(rules) == wanted
    assert 0.2 < rules.total() / len(told) < 0.33


def test_a_world_without_sorts_tells_no_rules() -> None:
    teller = Teller(SHAPES, 24)
    assert not any(rule(teller.tell(generator(3, "tell", i))) for i in range(300))


@pytest.mark.parametrize("words", [SHAPES, DIGITS, SIGNS], ids=["shapes", "digits", "signs"])
def test_texts_are_short_and_every_form_is_heard(words: Lexicon) -> None:
    teller = Teller(words, 24)
    told = [teller.tell(generator(1, "tell", i)) for i in range(1500)]
    assert max(len(text.split()) for text in told) <= 24
    for form in words.forms:
        start = form.wording.split("{}")[0]
        assert any(text.startswith(start) for text in told), form.wording
    assert told[:50] == [Teller(words, 24).tell(generator(1, "tell", i)) for i in range(50)]


def test_yes_and_no_are_about_equally_frequent() -> None:
    teller = Teller(SHAPES, 24)
    told = [teller.tell(generator(2, "tell", i)) for i in range(2500)]
    yes, no = (sum(text.startswith("is ") and text.endswith(answer) for text in told) for answer in (" yes", " no"))
    assert 0.7 < yes / no < 1.4


def test_every_form_has_its_statements() -> None:
    for words in (SHAPES, DIGITS, SIGNS):
        for form in words.forms:
            answers = {"yes/no": ("yes", "no"), "number": ("0", "1", "2", "7")}.get(form.answer_kind, ("x",))
            for answer in answers:
                assert form.told.get(answer) or form.told[""], (form.wording, answer)
