"""The words of a world: what its attributes are called, how things are described and asked about."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["COLOURS", "PAINTS", "RELATION", "RELATIONS", "Form", "Lexicon", "Link", "Sorting", "Words", "articled",
           "counts", "places"]

Words = tuple[tuple[str, ...], ...]
"""For each value of an attribute its words: the first is the answer to a question, the others are synonyms."""

PAINTS: Mapping[str, tuple[int, int, int]] = {
    "red": (255, 48, 40),
    "green": (40, 205, 60),
    "blue": (70, 110, 255),
    "yellow": (255, 225, 40),
    "white": (245, 245, 245),
    "purple": (190, 60, 235),
    "orange": (255, 140, 20),
    "cyan": (50, 225, 235),
}
"""Colours by name as RGB, most different first."""

COLOURS: Words = tuple((name,) for name in PAINTS)
"""Colours have no synonyms: words should stay few."""

_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


RELATIONS = ("left of", "right of", "above", "below")
"""What one thing can be to another; columns and rows of their cells decide."""

RELATION = "relation"
"""The blank of a question in which a relation stands; all other blanks are named after attributes."""


@dataclass(frozen=True, eq=False)
class Form:
    """One way to ask. The asked word stands last where that is natural: tiny models learn such questions far sooner.

    `given` names the blanks of the wording in their order. Without a relation it picks the things that have these
    values; with one, those things with the values before it that stand so to the only thing with the values after it.
    """

    how: Literal["find", "exists", "count", "total", "holds"]
    """find: `asked` of the only thing picked; exists: yes or no; count: of things picked; total: of all things; holds:
    whether the only thing with the values before the relation stands so to the only one with those after it."""
    wording: str
    """The question, with {} for the word of each given value."""
    kind: str
    """`question_type` of the VQA format: how the question starts."""
    share: float
    """Wanted share of all questions."""
    given: tuple[str, ...] = ()
    """Attributes (or `RELATION`) whose values stand in the question."""
    asked: str = ""
    """The attribute that answers (find)."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Answer -> question and answer as a statement, with {0}, {1} for the given words and {answer}; the key "" is for
    all answers without a statement of their own."""
    among: tuple[str, int] | None = None
    """An attribute and its value: only things that have it are meant ("which digit" is asked of digits alone)."""

    @property
    def answer_kind(self) -> str:
        """`answer_type` of the VQA format."""
        return {"find": "other", "exists": "yes/no", "holds": "yes/no"}.get(self.how, "number")


@dataclass(frozen=True)
class Sorting:
    """An attribute that follows from another one: red and yellow are warm, 3 and 5 are odd.

    Questions and texts without pictures use its words; captions never do.
    """

    of: str
    """The attribute that decides."""
    values: tuple[int, ...]
    """For each value of that attribute the number of the word."""
    told: tuple[str, ...]
    """Ways to say so, with {of} for the word of that attribute and {word} for the sort's."""


@dataclass(frozen=True)
class Link:
    """A way to describe a scene by what its things are to each other."""

    phrase: str
    """How each thing is described, with every attribute in braces."""
    clause: str
    """One thing and what it is to one or two others: text with {subject} and {others}."""


@dataclass(frozen=True)
class Lexicon:
    """All that grammar and questions know about a world."""

    noun: str
    """What a thing is called whatever its kind: "digit"."""
    words: Mapping[str, Words]
    """Attribute -> words of its values."""
    phrases: tuple[str, ...]
    """Ways to describe one thing in full, with {noun} and every attribute in braces; the first is the oracle's."""
    forms: tuple[Form, ...]
    """Ways to ask."""
    most: int
    """Largest number of things in a scene."""
    fewest: int = 1
    """Least number of things in a scene."""
    synonyms: float = 0.1
    """Share of the words of captions that are said by a synonym, where there is one."""
    links: tuple[Link, ...] = ()
    """Ways to describe all things by their relations; empty where captions say none."""
    sortings: Mapping[str, Sorting] = field(default_factory=dict)
    """Attributes that follow from others, by name; their words are in `words`, too."""
    brief: tuple[str, ...] = ()
    """Ways to name one thing as alt-text does, without some or all attributes."""
    exact: float = 1.0
    """Share of the captions that tell everything; the others are brief, and of some things alone."""

    def word(self, attribute: str, value: int) -> str:
        """The first word of a value."""
        return self.values(attribute)[value][0]

    def values(self, blank: str) -> Words:
        """The words of all values that can stand in a blank."""
        return tuple((word,) for word in RELATIONS) if blank == RELATION else self.words[blank]

    @property
    def grid(self) -> int:
        """Cells a side."""
        return math.isqrt(len(self.words["place"]))


def articled(text: str) -> str:
    """`text` with "an" for "a" where it is spoken so: before eight (as word or number) and orange, not before one."""
    return re.sub(r"\ba (?=8\b|(?!one\b)[aeiou])", "an ", text)


def counts(number: int) -> tuple[str, ...]:
    """The words of a number: "3", "three"."""
    return (str(number), _SMALL[number]) if number < len(_SMALL) else (str(number),)


def places(grid: int) -> Words:
    """The words of the cells of a grid of 2 or 3 cells a side, row by row."""
    rows = {2: (("top", "upper"), ("bottom", "lower")), 3: (("top", "upper"), ("middle",), ("bottom", "lower"))}[grid]
    columns = {2: ("left", "right"), 3: ("left", "middle", "right")}[grid]
    return tuple(
        ("centre",) if row[0] == column == "middle" else tuple(f"{word} {column}" for word in row)
        for row in rows
        for column in columns
    )
