"""A slow reader of the language of signs: it knows what words mean, and nothing of how texts are made."""

from __future__ import annotations

import itertools
import re

from tests.data.worlds.conftest import COLOUR, PLACE, RELATION, SIZE, Row, plain, read_caption, related

SHAPE_WORDS = ("circle", "square", "triangle", "cross", "ring", "diamond", "bar", "moon", "star")
ROUND = {"circle", "ring", "moon"}
WARM, PALE = {"red", "yellow", "orange"}, {"white"}

KIND = rf"(?P<kind>{'|'.join(SHAPE_WORDS)}|\d)"
OTHER = KIND.replace("<kind>", "<other>")
NATURE = "(?P<nature>round|angular|odd|even)"
WARMTH = "(?P<warmth>warm|cold|pale)"
CLASS = "(?P<class>shape|digit)"

SORT_WORDS = {"round", "angular", "odd", "even", "warm", "cold", "pale", "shape", "digit", "shapes", "digits"}
"""Words that no caption of a picture says."""

_KINDS = "(?P<asked>which digit|what shape)"

QUESTIONS = {
    "find": [
        f"{_KINDS} is {COLOUR}", f"{_KINDS} is {WARMTH}", f"{_KINDS} is at the {PLACE}",
        f"{_KINDS} is {RELATION} the {KIND}", f"what (?P<asked>colour|size) is the {KIND}",
        f"what (?P<asked>colour|size) is the sign {RELATION} the {KIND}",
        f"what (?P<asked>colour) is at the {PLACE}", f"what (?P<asked>colour) is the {NATURE} sign",
        f"(?P<asked>where) is the {KIND}", f"(?P<asked>where) is the {NATURE} sign",
    ],
    "exists": [
        f"is any sign {COLOUR}", f"is any sign {NATURE}", f"is there an? {KIND}", f"is there an? {COLOUR} {CLASS}",
    ],
    "holds": [f"is the {OTHER} {RELATION} the {KIND}"],
    "count": [
        "how many signs are there", f"how many {CLASS}s are there", f"how many signs are {COLOUR}",
        f"how many signs are {SIZE}", f"how many signs are {NATURE}", f"how many signs are {WARMTH}",
        f"how many signs are {RELATION} the {KIND}",
    ],
}
"""How a question can read; what a word picks, and what is asked."""


def sorts(kind: str, colour: str) -> dict[str, str]:
    """What follows from a kind and a colour."""
    if kind in SHAPE_WORDS:
        named = {"class": "shape", "nature": "round" if kind in ROUND else "angular"}
    else:
        named = {"class": "digit", "nature": "odd" if int(kind) % 2 else "even"}
    return {**named, "warmth": "warm" if colour in WARM else "pale" if colour in PALE else "cold"}


def answered(question: str, labels: list[Row]) -> str | None:
    """The answer by hand; None where the question has no one answer. Fails for a question that cannot be read."""
    rows = [{**row, **sorts(row["kind"], row["colour"])} for row in labels]
    how, said = next(
        (how, match.groupdict()) for how, forms in QUESTIONS.items() for form in forms
        if (match := re.fullmatch(form, question))
    )
    named = {key: word for key, word in said.items() if word and key not in ("asked", "relation", "other")}
    picked = [row for row in rows if all(row[key] == word for key, word in named.items())]
    if said.get("relation"):
        if len(picked) != 1:
            return None
        anchor, others = picked[0], rows
        if how == "holds":
            others = [row for row in rows if row["kind"] == said["other"]]
            if len(others) != 1 or others[0] is anchor:
                return None
        picked = [row for row in others if related(row, said["relation"], anchor)]
    if how in ("exists", "holds"):
        return "yes" if picked else "no"
    if how == "count":
        return str(len(picked))
    if said["asked"] in ("which digit", "what shape"):
        picked = [row for row in picked if row["class"] == said["asked"].split()[1]]
    key = {"which digit": "kind", "what shape": "kind", "where": "place"}.get(said["asked"], said["asked"])
    return str(picked[0][key]) if len(picked) == 1 else None


def exactly(caption: str) -> tuple[list[Row], list[tuple[int, str, int]]]:
    """All that a caption tells that tells everything: things, and (i, relation, j). Fails for any other caption."""
    return read_caption(caption, KIND)


_SOME = [
    rf"(?:{SIZE} )?(?:{COLOUR} )?{KIND}", rf"{KIND}, {COLOUR}", rf"an? {KIND} at the {PLACE}", rf"{COLOUR} sign",
    rf"an? {COLOUR} sign at the {PLACE}",
]
"""How a brief caption names one thing."""


def briefly(caption: str) -> list[dict[str, str]] | None:
    """What a brief caption says of each thing that it names; None where it cannot be read as one."""
    text = plain(caption.replace(",", " ,")).replace(" ,", ",")
    for form in _SOME:
        names = re.findall(r"\(\?P<(\w+)>", form)
        one = re.sub(r"\(\?P<\w+>", "(?:", form)
        if re.fullmatch(f"{one}(?:, {one})*(?: and {one})?", text):
            found = list(re.finditer(form, text))
            return [{name: match[name] for name in names if match[name]} for match in found]
    return None


def true_of(said: list[dict[str, str]], labels: list[Row]) -> bool:
    """Whether what was said fits as many different things."""
    return any(
        all(row[key] == word for one, row in zip(said, rows, strict=True) for key, word in one.items())
        for rows in itertools.permutations(labels, len(said))
    )


_N, _R, _K, _C, _S, _P = (re.sub(r"\?P<\w+>", "", form) for form in (NATURE, RELATION, KIND, COLOUR, SIZE, PLACE))
_W = "(warm|cold|pale)"

STATEMENTS = [  # what is said, the question it answers, the answer
    *[entry for noun, start in (("digit", "which digit"), ("shape", "what shape")) for entry in (
        (f"the (?:{_C}|{_W}) {noun} is an? {_K}", rf"{start} is \1\2", r"\3"),
        (f"the {noun} at the {_P} is an? {_K}", rf"{start} is at the \1", r"\2"),
        (f"the {noun} {_R} the {_K} is an? {_K}", rf"{start} is \1 the \2", r"\3"),
    )],
    (f"the {_K} is {_C}", r"what colour is the \1", r"\2"), (f"the {_K} is {_S}", r"what size is the \1", r"\2"),
    (f"the sign at the {_P} is {_C}", r"what colour is at the \1", r"\2"),
    (f"the {_N} sign is {_C}", r"what colour is the \1 sign", r"\2"),
    (f"the sign {_R} the {_K} is {_C}", r"what colour is the sign \1 the \2", r"\3"),
    (f"the sign {_R} the {_K} is {_S}", r"what size is the sign \1 the \2", r"\3"),
    (f"the {_K} is at the {_P}", r"where is the \1", r"\2"),
    (f"the {_N} sign is at the {_P}", r"where is the \1 sign", r"\2"),
    (f"there is an? (?:{_C}|{_N}) sign", r"is any sign \1\2", "yes"),
    (f"there is an? {_K}", r"is there a \1", "yes"), (f"there is no {_K}", r"is there a \1", "no"),
    (f"there is an? {_C} (shape|digit)", r"is there a \1 \2", "yes"),
    (f"there is no {_C} (shape|digit)", r"is there a \1 \2", "no"),
    (f"the {_K} is {_R} the {_K}", r"is the \1 \2 the \3", "yes"),
    (f"the {_K} is not {_R} the {_K}", r"is the \1 \2 the \3", "no"),
    (r"there are (\d) signs", "how many signs are there", r"\1"),
    ("there is no (shape|digit)", r"how many \1s are there", "0"),
    ("there is 1 (shape|digit)", r"how many \1s are there", "1"),
    (r"there are (\d) (shape|digit)s", r"how many \2s are there", r"\1"),
    (f"no sign is (?:{_C}|{_S}|{_N}|{_W})", r"how many signs are \1\2\3\4", "0"),
    (f"no sign is {_R} the {_K}", r"how many signs are \1 the \2", "0"),
    (rf"(\d) signs? (?:is|are) (?:{_C}|{_S}|{_N}|{_W})", r"how many signs are \2\3\4\5", r"\1"),
    (rf"(\d) signs? (?:is|are) {_R} the {_K}", r"how many signs are \2 the \3", r"\1"),
]

_RULES = [
    f"(?:an?|each) {KIND} is (?:an? {CLASS}|{NATURE})", f"{NATURE} as an? {KIND}",
    f"(?:what is )?{COLOUR} is {WARMTH}", f"{COLOUR} is an? {WARMTH} colour",
]


def rule(text: str) -> tuple[str, str] | None:
    """What a text says about words alone: a kind or colour, and what it is called; None for any other text."""
    for form in _RULES:
        match = re.fullmatch(form, text)
        if match:
            said = match.groupdict()
            of = said.get("kind") or said["colour"]
            return of, next(said[name] for name in ("class", "nature", "warmth") if said.get(name))
    return None


def answer_of(text: str, rows: list[Row]) -> tuple[str | None, str]:
    """Of a statement, or of a question with its answer: the answer by hand, and the one that is given."""
    for said, question, answer in STATEMENTS:
        match = re.fullmatch(said, text)
        if match:
            return answered(match.expand(question), rows), match.expand(answer)
    words = text.split()
    last = 2 if words[-1] in ("left", "middle", "right") and words[-2] in ("top", "middle", "bottom") else 1
    return answered(" ".join(words[:-last]), rows), " ".join(words[-last:])
