"""A weighted sum of names: objectives (`contrastive + 2*language-model`) or data sets (`web + 2*coco`)."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from vlpbench.config.problems import guess
from vlpbench.errors import UserError

__all__ = ["Term", "What", "format_sum", "names_of", "parse_sum"]

Term = tuple[float, str]
"""Weight and name of one term."""

What = Literal["objective", "data set"]
"""What the names of a sum stand for."""

_WEIGHT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\*")
_NAME = re.compile(r"\s*([A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)")
_PLUS = re.compile(r"\s*\+")
_FORMS: Mapping[What, str] = {
    "objective": 'write for example "contrastive + 2*language-model"',
    "data set": 'write for example "web + 2*coco"',
}
_A: Mapping[What, str] = {"objective": "an objective", "data set": "a data set"}
_NONE: Mapping[What, str] = {"objective": "trains nothing", "data set": "has no samples"}


def parse_sum(text: str, known: Collection[str] | None = None, what: What = "objective") -> tuple[Term, ...]:
    """The weighted names in `text`, in its order. `none` stands alone.

    Raises UserError where it is no such sum, a weight is not above zero, a name comes twice, or is not in `known`.
    """
    terms: list[Term] = []
    at = 0
    while True:
        weight, at = _weight(text, at, what)
        name, at = _name(text, at, what)
        _refuse_unfit(text, name, [other for _, other in terms], known, what)
        terms.append((weight, name))
        if not text[at:].strip():
            break
        at = _plus(text, at, what)
    if (len(terms) > 1 and any(name == "none" for _, name in terms)) or (terms[0][1] == "none" and terms[0][0] != 1):
        cause = f"'none' {_NONE[what]} and stands alone, but the {what} is {text!r}"
        raise UserError(cause, remedy=_FORMS[what])
    return tuple(terms)


def names_of(text: str, what: What = "objective") -> tuple[str, ...]:
    """The names in a sum, without weights; nothing for "none"."""
    return tuple(name for _, name in parse_sum(text, what=what) if name != "none")


def format_sum(terms: Sequence[Term]) -> str:
    """The one way to write a sum: equal sums, equal text."""
    return " + ".join(name if weight == 1 else f"{_number(weight)}*{name}" for weight, name in terms)


def _number(weight: float) -> str:
    return str(int(weight)) if weight == int(weight) and weight < 1e15 else repr(weight)


def _weight(text: str, at: int, what: What) -> tuple[float, int]:
    found = _WEIGHT.match(text, at)
    if found is None:
        return 1.0, at
    weight = float(found[1])
    if not (weight > 0 and math.isfinite(weight)):
        raise UserError(f"weight {found[1]} in {what} {text!r} is not above zero", remedy="leave the term out")
    return weight, found.end()


def _name(text: str, at: int, what: What) -> tuple[str, int]:
    found = _NAME.match(text, at)
    if found is None:
        rest = text[at:].strip()
        wrong = f"{rest!r} stands where" if rest else "it ends where"
        raise UserError(f"{what} {text!r}: {wrong} the name of {_A[what]} should stand", remedy=_FORMS[what])
    return found[1], found.end()


def _plus(text: str, at: int, what: What) -> int:
    found = _PLUS.match(text, at)
    if found is None:
        raise UserError(f"{what} {text!r}: {text[at:].strip()!r} stands where '+' should", remedy=_FORMS[what])
    return found.end()


def _refuse_unfit(
    text: str, name: str, before: Sequence[str], known: Collection[str] | None, what: What
) -> None:
    if name in before:
        raise UserError(f"{what} {text!r} names {name!r} twice", remedy="give it one weight instead")
    if known is not None and name not in known:
        raise UserError(f"unknown {what} {name!r}", remedy=guess(name, known))
