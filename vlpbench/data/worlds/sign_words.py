"""The words of the world `signs`: how shapes and digits are described, asked about, and put into sorts."""

from __future__ import annotations

from collections.abc import Sequence

from vlpbench.data.worlds.words import PAINTS, RELATION, Form, Sorting, Words

__all__ = ["BRIEF", "FORMS", "sortings"]

BRIEF = (
    "{kind}", "{colour} {kind}", "{kind}, {colour}", "{size} {kind}", "a {kind} at the {place}", "{colour} {noun}",
    "a {colour} {noun} at the {place}", "{size} {colour} {kind}",
)
"""Ways to name one sign as alt-text does."""

_CLASS, _NATURE, _WARMTH = "class", "nature", "warmth"
"""Attributes that follow from others: what a kind is, what is said of such kinds, what is said of a colour."""

_SHAPE, _DIGIT = (_CLASS, 0), (_CLASS, 1)

_ROUND = ("circle", "ring", "moon")

_WARM = ("red", "yellow", "orange")

_PALE = ("white",)
"""Neither warm nor cold."""

_TOLD = {
    _CLASS: ("a {of} is a {word}", "each {of} is a {word}"),
    _NATURE: ("a {of} is {word}", "each {of} is {word}", "{word} as a {of}"),
    _WARMTH: ("{of} is {word}", "{of} is a {word} colour", "what is {of} is {word}"),
}
"""What follows, in words."""


def sortings(shapes: Sequence[str], digits: int, colours: int) -> tuple[dict[str, Sorting], dict[str, Words]]:
    """What follows from a kind and from a colour, and the words of it; only words that something is called by.

    `shapes` and the digits from 0 up to `digits` are the kinds, `colours` the number of those in `PAINTS` that occur.
    """
    classes = ["shape"] * len(shapes) + ["digit"] * digits
    natures = ["round" if shape in _ROUND else "angular" for shape in shapes]
    natures += ["odd" if number % 2 else "even" for number in range(digits)]
    warmths = ["warm" if name in _WARM else "pale" if name in _PALE else "cold" for name in list(PAINTS)[:colours]]
    called = {_CLASS: ("kind", classes), _NATURE: ("kind", natures), _WARMTH: ("colour", warmths)}
    known = {name: list(dict.fromkeys(words)) for name, (_, words) in called.items()}
    sorts = {
        name: Sorting(of, tuple(map(known[name].index, words)), _TOLD[name]) for name, (of, words) in called.items()
    }
    return sorts, {name: tuple((word,) for word in words) for name, words in known.items()}


def _which(start: str, noun: str, among: tuple[str, int]) -> tuple[Form, ...]:
    """Kinds of one class are asked for: digits are read, shapes recognised."""
    ways = (
        (" is {}", 0.05, ("colour",), "the {0} " + noun),
        (" is at the {}", 0.04, ("place",), "the " + noun + " at the {0}"),
        (" is {} the {}", 0.06, (RELATION, "kind"), "the " + noun + " {0} the {1}"),
        (" is {}", 0.03, (_WARMTH,), "the {0} " + noun),
    )
    return tuple(
        Form("find", start + rest, start, share, given, "kind", {"": told + " is a {answer}"}, among)
        for rest, share, given, told in ways
    )


def _what() -> tuple[Form, ...]:
    """Colours, sizes and places are asked for."""
    colour, size = "what colour", "what size"
    return (
        Form("find", "what colour is the {}", colour, 0.05, ("kind",), "colour", told={"": "the {0} is {answer}"}),
        Form("find", "what colour is at the {}", colour, 0.04, ("place",), "colour",
             told={"": "the sign at the {0} is {answer}"}),
        Form("find", "what colour is the {} sign", colour, 0.05, (_NATURE,), "colour",
             told={"": "the {0} sign is {answer}"}),
        Form("find", "what colour is the sign {} the {}", colour, 0.08, (RELATION, "kind"), "colour",
             told={"": "the sign {0} the {1} is {answer}"}),
        Form("find", "what size is the {}", size, 0.04, ("kind",), "size", told={"": "the {0} is {answer}"}),
        Form("find", "what size is the sign {} the {}", size, 0.04, (RELATION, "kind"), "size",
             told={"": "the sign {0} the {1} is {answer}"}),
        Form("find", "where is the {}", "where is", 0.05, ("kind",), "place", told={"": "the {0} is at the {answer}"}),
        Form("find", "where is the {} sign", "where is", 0.03, (_NATURE,), "place",
             told={"": "the {0} sign is at the {answer}"}),
    )


def _yes_or_no() -> tuple[Form, ...]:
    """Whether there is such a thing, and whether a relation holds."""
    return (
        Form("exists", "is any sign {}", "is any", 0.03, ("colour",),
             told={"yes": "there is a {0} sign", "no": "no sign is {0}"}),
        Form("exists", "is there a {}", "is there", 0.04, ("kind",),
             told={"yes": "there is a {0}", "no": "there is no {0}"}),
        Form("exists", "is there a {} {}", "is there", 0.03, ("colour", _CLASS),
             told={"yes": "there is a {0} {1}", "no": "there is no {0} {1}"}),
        Form("exists", "is any sign {}", "is any", 0.03, (_NATURE,),
             told={"yes": "there is a {0} sign", "no": "no sign is {0}"}),
        Form("holds", "is the {} {} the {}", "is the", 0.08, ("kind", RELATION, "kind"),
             told={"yes": "the {0} is {1} the {2}", "no": "the {0} is not {1} the {2}"}),
    )


def _how_many() -> tuple[Form, ...]:
    """Numbers."""
    start = "how many"
    return (
        Form("total", "how many signs are there", start, 0.02,
             told={"1": "there is {answer} sign", "": "there are {answer} signs"}),
        Form("count", "how many {}s are there", start, 0.03, (_CLASS,),
             told={"0": "there is no {0}", "1": "there is one {0}", "": "there are {answer} {0}s"}),
        *(
            Form("count", "how many signs are {}", start, share, (given,),
                 told={"0": "no sign is {0}", "1": "{answer} sign is {0}", "": "{answer} signs are {0}"})
            for given, share in (("colour", 0.02), ("size", 0.02), (_NATURE, 0.02), (_WARMTH, 0.03))
        ),
        Form("count", "how many signs are {} the {}", start, 0.03, (RELATION, "kind"),
             told={"0": "no sign is {0} the {1}", "1": "{answer} sign is {0} the {1}",
                   "": "{answer} signs are {0} the {1}"}),
    )


FORMS = (
    *_which("which digit", "digit", _DIGIT), *_which("what shape", "shape", _SHAPE),
    *_what(), *_yes_or_no(), *_how_many(),
)
"""Ways to ask: for a digit, a shape, a colour, a size, a place, by place, relation or sort; yes or no; how many."""
