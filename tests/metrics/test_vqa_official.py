"""The three rules against a slow port of the official evaluator, on answers made of what it treats strangely."""

from __future__ import annotations

import copy
import random
import re

import pytest

from vlpbench.metrics.answer_text import CONTRACTIONS
from vlpbench.metrics.vqa_accuracy import RULES, Rule, vqa_table
from vlpbench.types import Question

QUESTIONS = 4000
PUNCTUATION = list(';/[]"{}()=+\\_-><@`,?!' + "':$%&#*.~")
BLANKS = [" ", " ", "  ", "\t", "\n", "\r", "\x0b", "\x0c", "\x85", "\u00a0", "\u2028", "\u3000"]
WORDS = [
    *"a an the A The none None zero one TWO ten yes no YES dog don't dont Dont couldntve couldnt've shes she's".split(),
    *"lets let's Im Ive Id've i'dve somebody'd ow's'at y'allll oclock \u0130 \u00df \ufb01 \u00c9COLE \u732b".split(),
    *"\u0663 \uff13 \u00b2 \u0663,\u0663 1,000 1,0 3.14 .5 5. ... 1.2.3 U.S.A. t-shirt a,b 1,2,a".split(),
    "." * 40, ". " * 35, "." * 31 + "5", "1, 2", "1 ,2", "",
]  # fmt: skip


def said_like_this(rng: random.Random) -> str:
    """Pieces in a row, most often one or two."""
    length = rng.choice([0, 1, 1, 2, 3, 6])
    pieces = [rng.choice(rng.choice([PUNCTUATION, BLANKS, WORDS, WORDS])) for _ in range(length)]
    return rng.choice(["", " "]).join(pieces)


def respelled(text: str, rng: random.Random) -> str:
    """Now and then another capital, blank, full stop or article."""
    other = [text.upper(), f" {text}", f"{text}.", f"{text}\n", f"the {text}", f"{text}, {text}"]
    return rng.choice([text] * len(other) + other)


def made(seed: int) -> tuple[dict[int, str], dict[int, list[dict[str, object]]]]:
    """Predictions, and answers as rows with an id each: unanimous, nearly so, and mixed ones, of 2 to 10 people."""
    rng = random.Random(seed)
    predictions, answers = {}, {}
    for key in range(QUESTIONS):
        pool = [said_like_this(rng) for _ in range(rng.choice([1, 1, 2, 3]))]
        given = [rng.choice(pool) for _ in range(rng.choice([10, 10, 10, 8, 3, 2]))]
        if rng.random() < 0.4:
            given = [respelled(answer, rng) for answer in given]
        answers[key] = [{"answer": answer, "answer_id": at} for at, answer in enumerate(given)]
        predictions[key] = respelled(rng.choice([*given, said_like_this(rng)]), rng)
    return predictions, answers


def without_punctuation(text: str) -> str:
    out = text
    for mark in PUNCTUATION[:21]:
        touching = f"{mark} " in text or f" {mark}" in text
        out = out.replace(mark, "" if touching or re.search(r"(\d)(,)(\d)", text) else " ")
    # The count is the number of the flag that stands in its place.
    return re.sub(r"(?!<=\d)(\.)(?!\d)", "", out, count=32)


def without_articles(text: str) -> str:
    numbers = {"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6"}
    numbers.update({"seven": "7", "eight": "8", "nine": "9", "ten": "10"})
    words = [numbers.get(word, word) for word in text.lower().split()]
    words = [word for word in words if word not in ["a", "an", "the"]]
    return " ".join(CONTRACTIONS.get(word, word) for word in words)


def one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()


def official(said: str, rows: list[dict[str, object]], rule: Rule) -> float:
    """One question, with people left out by the value of their rows, whose ids differ. Rewrites the rows."""

    def rewrite(*steps: object) -> None:
        for row in rows:
            for step in steps:
                row["answer"] = step(row["answer"])  # type: ignore[operator]

    said = one_line(said)
    if rule == "always":
        rewrite(one_line, without_punctuation, without_articles)
        said = without_articles(without_punctuation(said))
    elif rule == "2016":
        said = without_articles(without_punctuation(said))
        if len({row["answer"] for row in rows}) > 1:
            rewrite(without_punctuation)
    else:
        rewrite(one_line)
        if len({row["answer"] for row in rows}) > 1:
            rewrite(without_punctuation, without_articles)
            said = without_articles(without_punctuation(said))
    found = []
    for left_out in rows:
        others = [row for row in rows if row != left_out]
        found.append(min(1, len([row for row in others if row["answer"] == said]) / 3))
    return sum(found) / len(found)


@pytest.mark.parametrize("seed", [0, 1])
def test_every_question_scores_as_there(seed: int) -> None:
    predictions, rows = made(seed)
    questions = {
        key: Question(key, "?", tuple(str(row["answer"]) for row in given), "", ["yes/no", "number", "other"][key % 3])
        for key, given in rows.items()
    }
    table = vqa_table(predictions, questions)
    for rule in RULES:
        theirs = {key: official(predictions[key], copy.deepcopy(rows[key]), rule) for key in rows}
        found = table.per_question[rule]
        apart = [(predictions[key], questions[key].answers) for key in rows if abs(theirs[key] - found[key]) > 1e-12]
        assert not apart, (rule, apart[:3])
        assert table.overall[rule] == pytest.approx(100 * sum(theirs.values()) / len(theirs), abs=1e-9)
        for at, name in enumerate(["yes/no", "number", "other"]):
            some = [theirs[key] for key in theirs if key % 3 == at]
            assert table.per_answer_type[name][rule] == pytest.approx(100 * sum(some) / len(some), abs=1e-9)
    assert len({round(score) for score in table.overall.values()}) == 3  # else the rules were not told apart


def test_two_people_of_the_same_answer_are_two_people() -> None:
    rows: list[dict[str, object]] = [{"answer": "dog", "answer_id": 1} for _ in range(10)]
    assert official("dog", copy.deepcopy(rows), "2021") == 0  # there equal rows are left out all at once
    questions = {1: Question(1, "?", ("dog",) * 10)}
    assert vqa_table({1: "dog"}, questions).overall == dict.fromkeys(RULES, 100)
