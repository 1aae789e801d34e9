"""A slow reader of the language of shapes, which knows nothing of the grammar, and small worlds to try it on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.data.worlds.shapes import Shapes, ShapesConfig
from vlpbench.types import Sample

Row = dict[str, Any]

SAME = {"disc": "circle", "plus": "cross", "hoop": "ring", "big": "large", "little": "small", "upper": "top",
        "lower": "bottom", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
        "seven": "7", "eight": "8", "nine": "9"}
KIND = "(?P<kind>circle|square|triangle|cross|ring|diamond|bar|moon|star)"
OTHER = KIND.replace("<kind>", "<other>")
COLOUR = "(?P<colour>red|green|blue|yellow|white|purple|orange|cyan)"
SIZE = "(?P<size>large|small)"
PLACE = "(?P<place>(?:top|middle|bottom) (?:left|middle|right)|centre)"
RELATION = "(?P<relation>left of|right of|above|below)"
ANSWER = "(?P<answer>.*)"

QUESTIONS = {
    "find": [
        f"what (?P<asked>shape) is {COLOUR}", f"what (?P<asked>shape) is at the {PLACE}",
        f"what (?P<asked>shape) is {SIZE} and {COLOUR}", f"what (?P<asked>colour|size) is the {KIND}",
        f"what (?P<asked>colour) is at the {PLACE}", f"what (?P<asked>colour) is the {SIZE} {KIND}",
        f"(?P<asked>where) is the {KIND}", f"what (?P<asked>colour|size) is the shape {RELATION} the {KIND}",
        f"what (?P<asked>shape) is {RELATION} the shape in {COLOUR}",
    ],
    "exists": [f"is any shape {COLOUR}", f"is there an? {KIND}", f"is there an? {SIZE} {KIND}"],
    "holds": [f"is the {OTHER} {RELATION} the {KIND}"],
    "count": ["how many shapes are there", f"how many shapes are {COLOUR}", f"how many shapes are {SIZE}",
              f"how many shapes are {RELATION} the {KIND}"],
}
"""How a question can read; what a word picks, and what is asked."""


def cell(place: str) -> tuple[int, int]:
    """Row and column of a place, of three each (of two where there is no middle: order is all that counts)."""
    row, column = "middle middle".split() if place == "centre" else place.split()
    return {"top": 0, "middle": 1, "bottom": 2}[row], {"left": 0, "middle": 1, "right": 2}[column]


def related(one: Row, relation: str, other: Row) -> bool:
    """Whether one thing is left of, right of, above or below another, from the words of their places."""
    (y, x), (v, u) = cell(one["place"]), cell(other["place"])
    return {"left of": x < u, "right of": x > u, "above": y < v, "below": y > v}[relation]


def plain(text: str) -> str:
    """Every word by its usual name."""
    return " ".join(SAME.get(word, word) for word in text.split())


def answered(question: str, rows: list[Row]) -> str | None:
    """The answer by hand; None where the question has no one answer. Fails for a question that cannot be read."""
    how, said = next(
        (how, match.groupdict()) for how, forms in QUESTIONS.items() for form in forms
        if (match := re.fullmatch(form, question))
    )
    picked = [row for row in rows if all(row[key] == said[key] for key in ("kind", "colour", "size", "place")
                                         if said.get(key))]
    if said.get("relation"):
        if len(picked) != 1:
            return None
        anchor = picked[0]
        if how == "holds":
            first = [row for row in rows if row["kind"] == said["other"]]
            if len(first) != 1 or first[0] is anchor:
                return None
            return "yes" if related(first[0], said["relation"], anchor) else "no"
        picked = [row for row in rows if related(row, said["relation"], anchor)]
    if how == "exists":
        return "yes" if picked else "no"
    if how == "count":
        return str(len(picked))
    key = {"shape": "kind", "where": "place"}.get(said["asked"], said["asked"])
    return str(picked[0][key]) if len(picked) == 1 else None


@pytest.fixture(scope="session")
def by_hand() -> Callable[[str, list[Row]], str | None]:
    """(question, rows of words) -> answer."""
    return answered


A = "(?:an?|the)"


def things(kind: str) -> list[str]:
    """How a caption describes one thing; `kind` are the words of its kind."""
    return [
        f"{A} {SIZE} {COLOUR} {kind} at the {PLACE}", f"at the {PLACE} {A} {SIZE} {COLOUR} {kind}",
        f"{A} {SIZE} {kind} in {COLOUR} at the {PLACE}", f"at the {PLACE} {A} {SIZE} {kind} in {COLOUR}",
        f"the {PLACE} has {A} {SIZE} {COLOUR} {kind}",
    ]


TO = r"(left of|right of|above|below) #(\d)"
CLAUSES = (rf"#\d is {TO}(?: and {TO})?", rf"{TO}(?: and {TO})? is #\d")
"""How a caption relates things, each thing replaced by # and its number."""


def read_caption(caption: str, kind: str = KIND) -> tuple[list[Row], list[tuple[int, str, int]]]:
    """The things that a caption names, and what it says they are to each other. Fails where anything is left over."""
    rows: list[Row] = []
    said: list[tuple[int, str, int]] = []

    def thing(match: re.Match[str]) -> str:
        rows.append(match.groupdict())
        return f"#{len(rows) - 1}"

    def clause(match: re.Match[str]) -> str:
        subject = re.findall(r"^#(\d) is|is #(\d)$", match.group())[0]
        said.extend((int("".join(subject)), relation, int(other)) for relation, other in re.findall(TO, match.group()))
        return "#"

    text = plain(caption.replace(",", " ,"))
    for form in things(kind):
        text = re.sub(form, thing, text)
    for form in CLAUSES:
        text = re.sub(form, clause, text)
    assert re.fullmatch(r"#\d?( , #\d?)*( and #\d?)?", text), (caption, text)
    return rows, said


@pytest.fixture(scope="session")
def usual() -> Callable[[str], str]:
    """A text -> the same with every word by its usual name."""
    return plain


@pytest.fixture(scope="session")
def parsed() -> Callable[[str], tuple[list[Row], list[tuple[int, str, int]]]]:
    """A caption -> rows of words, and (i, relation, j) as said."""
    return read_caption


@pytest.fixture(scope="session")
def apart() -> Callable[[Row, str, Row], bool]:
    """(one, relation, other) -> whether it holds, by the words of their places."""
    return related


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Shapes:
    """A small world of shapes, many questions an image."""
    config = ShapesConfig(train=600, val=60, test=200, kinds=9, questions=6)
    return Shapes(config, Path("nowhere"), tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="session")
def seen(shapes: Shapes) -> list[Sample]:
    """Its test split."""
    read = list(shapes.read("test"))
    assert all(isinstance(sample, Sample) for sample in read)
    return read  # type: ignore[return-value]
