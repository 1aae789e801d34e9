"""Questions: every answer recomputed from the scene by hand, balance under each wording, and what people answer."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest

from tests.data.worlds.sign_reader import answered
from vlpbench.data.worlds import sign_scenes
from vlpbench.data.worlds.digit_scenes import DigitsConfig, lexicon, plan
from vlpbench.data.worlds.questions import ANNOTATORS, Asked, answers_of, ask
from vlpbench.data.worlds.scene import Scene
from vlpbench.data.worlds.sign_scenes import SignsConfig
from vlpbench.data.worlds.truths import possible
from vlpbench.data.worlds.words import PAINTS, places
from vlpbench.streams import generator

KNOBS = [
    {}, {"grid": 3, "digits_max": 9, "classes": 10, "colours": 8, "questions": 12}, {"digits_min": 2, "classes": 3},
    {"digits_max": 1, "classes": 1, "colours": 1}, {"digits_min": 4, "digits_max": 4},
]


def asked_of(config: DigitsConfig) -> tuple[list[Scene], list[list[Asked]]]:
    scenes = list(plan(config, "digits", 1).scenes["train"])
    return scenes, ask(scenes, lexicon(config), config.questions, generator(0, "ask"))


def by_hand(question: str, scene: Scene, grid: int) -> str:
    """The answer, from the words of the question alone; fails where the question has no one answer."""
    where = [words[0] for words in places(grid)]
    table = [
        (list(PAINTS)[t.attributes["colour"]], str(t.attributes["kind"]), where[t.attributes["place"]])
        for t in scene.things
    ]
    if question == "how many digits are there":
        return str(len(table))
    start = re.match(
        "which digit is at the|which digit is|what colour is at the|what colour is the|where is the|where is"
        "|is any digit at the|is any digit|is there an?|how many digits are|how many times is there an?",
        question,
    )
    assert start, question
    key = question[start.end() + 1:]
    matching = [row for row in table if key in row]
    if start.group().startswith("is "):
        return "yes" if matching else "no"
    if start.group().startswith("how many"):
        return str(len(matching))
    assert len(matching) == 1, f"{question}: {table}"
    column = {"what": 0, "which": 1, "where": 2}[question.split()[0]]
    return matching[0][column]


@pytest.mark.parametrize("knobs", KNOBS)
def test_every_answer_is_right_and_well_defined(knobs: dict[str, int]) -> None:
    config = DigitsConfig(train=300, val=1, test=1, **knobs)
    scenes, asked = asked_of(config)
    for scene, mine in zip(scenes, asked, strict=True):
        assert len({question.text for question in mine}) == len(mine)
        for question in mine:
            assert question.answer == by_hand(question.text, scene, config.grid)
    assert sum(len(mine) for mine in asked) > 300


@pytest.mark.parametrize("knobs", KNOBS)
def test_answers_are_balanced_under_every_wording(knobs: dict[str, int]) -> None:
    _, asked = asked_of(DigitsConfig(train=1500, val=1, test=1, **knobs))
    given: dict[str, Counter[str]] = defaultdict(Counter)
    how = {}
    for question in (question for mine in asked for question in mine):
        given[question.text][question.answer] += 1
        how[question.text] = question.form
    words = lexicon(DigitsConfig(**knobs))
    for text, counts in given.items():
        answers = possible(how[text], words)
        assert set(counts) <= set(answers)
        spread = max(counts.values()) - min(counts[answer] for answer in answers)
        assert spread <= {"exists": 0, "find": 2}.get(how[text].how, 1), (text, counts)


def test_the_defaults_ask_four_questions_in_the_wanted_shares() -> None:
    config = DigitsConfig(train=1500, val=1, test=1)
    _, asked = asked_of(config)
    assert sum(len(mine) == 4 for mine in asked) > 0.97 * len(asked)
    forms = Counter(question.form for mine in asked for question in mine)
    for form in lexicon(config).forms:
        assert abs(forms[form] / forms.total() - form.share) < 0.01
    assert sum(form.share for form in forms) == pytest.approx(1)


def test_the_asked_word_stands_last() -> None:
    _, asked = asked_of(DigitsConfig(train=100, val=1, test=1))
    for question in (question for mine in asked for question in mine):
        assert question.form.how == "total" or question.form.wording.endswith("{}")
        assert "?" not in question.text


def test_questions_with_one_possible_answer_are_not_asked() -> None:
    _, asked = asked_of(DigitsConfig(train=200, val=1, test=1, digits_min=2, classes=1))
    wordings = {question.form.wording for mine in asked for question in mine}
    assert "how many digits are there" not in wordings, "there are always two"
    assert not any(wording.startswith("which digit") for wording in wordings), "it is always a 0"
    assert "where is {}" in wordings


def test_nothing_to_ask_gives_no_questions() -> None:
    scenes, _ = asked_of(DigitsConfig(train=5, val=1, test=1))
    assert ask([], lexicon(DigitsConfig()), 4, generator(0, "x")) == []
    assert ask(scenes, lexicon(DigitsConfig()), 0, generator(0, "x")) == [[]] * 5


def test_seven_of_ten_people_say_the_truth() -> None:
    config = DigitsConfig(train=400, val=1, test=1)
    words, rng = lexicon(config), generator(0, "x")
    dissent: Counter[int] = Counter()
    strange, synonyms = 0, 0
    _, asked = asked_of(config)
    for question in (question for mine in asked for question in mine):
        said = answers_of(question, words, rng)
        assert len(said) == ANNOTATORS
        assert said.count(question.answer) >= 7
        others = [answer for answer in said if answer != question.answer]
        dissent[len(others)] += 1
        plausible = set(possible(question.form, words))
        synonyms += sum(answer not in plausible for answer in others)
        strange += sum(answer in plausible for answer in others)
    assert set(dissent) == {0, 1, 2, 3}
    assert 0.6 < dissent[0] / dissent.total() < 0.8
    assert synonyms > 50
    assert strange > 50


def test_who_dissents_is_random() -> None:
    words, rng = lexicon(DigitsConfig()), generator(0, "x")
    form = next(form for form in words.forms if form.how == "exists")
    places_of_dissent = Counter(
        i for _ in range(2000) for i, a in enumerate(answers_of(Asked("q", "yes", form), words, rng)) if a == "no"
    )
    assert len(places_of_dissent) == ANNOTATORS
    assert max(places_of_dissent.values()) < 2 * min(places_of_dissent.values())


@pytest.mark.parametrize("knobs", [
    {}, {"shapes": 1, "digits": 1, "colours": 1, "sizes": 1, "grid": 2}, {"shapes": 2, "digits": 1, "colours": 5},
    {"shapes": 9, "digits": 10, "colours": 8, "signs_min": 9, "signs_max": 9, "questions": 12},
])
def test_every_answer_about_signs_is_right_and_balanced(knobs: dict[str, int]) -> None:
    config = SignsConfig(train=90, val=1, test=1, **knobs)
    words = sign_scenes.lexicon(config)
    scenes = sign_scenes.plan(config, "signs", 1).scenes["train"]
    given: dict[str, Counter[str]] = defaultdict(Counter)
    for scene, mine in zip(scenes, ask(scenes, words, config.questions, generator(0, "ask")), strict=True):
        rows = [{name: words.word(name, value) for name, value in thing.attributes.items()} for thing in scene.things]
        for question in mine:
            assert question.answer == answered(question.text, rows), (question.text, rows)
            assert question.answer in possible(question.form, words)
            given[question.text][question.answer] += 1
    assert len(given) > 10
    assert all(counts["yes"] == counts["no"] for text, counts in given.items() if text.startswith("is "))


def test_dissent_about_a_digit_names_digits() -> None:
    """Nobody answers "which digit" with a shape."""
    words, rng = sign_scenes.lexicon(SignsConfig()), generator(0, "x")
    form = next(form for form in words.forms if form.kind == "which digit")
    said = {answer for _ in range(300) for answer in answers_of(Asked("q", "3", form), words, rng)}
    assert said == {"0", "1", "2", "3", "4", "5", "three"}
