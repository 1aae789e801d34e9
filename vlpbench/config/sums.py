"""A pretraining is a list of weighted objectives: `contrastive + 2*language-model`."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

from vlpbench.config.problems import guess
from vlpbench.errors import UserError

__all__ = ["Term", "format_sum", "parse_sum"]

Term = tuple[float, str]
"""Weight and name of one objective."""

_WEIGHT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\*")
_NAME = re.compile(r"\s*([A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)")
_PLUS = re.compile(r"\s*\+")
_FORM = 'write for example "contrastive + 2*language-model"'


def parse_sum(text: str, known: Collection[str] | None = None) -> tuple[Term, ...]:
    """The weighted objectives that `text` names, in its order. `none` trains nothing and stands alone.

    Raises UserError where it is no such sum, a weight is not above zero, a name comes twice, or is not in `known`.
    """
    terms: list[Term] = []
    at = 0
    while True:
        weight, at = _weight(text, at)
        name, at = _name(text, at)
        _refuse_unfit(text, name, [other for _, other in terms], known)
        terms.append((weight, name))
        if not text[at:].strip():
            break
        at = _plus(text, at)
    if (len(terms) > 1 and any(name == "none" for _, name in terms)) or (terms[0][1] == "none" and terms[0][0] != 1):
        raise UserError(f"'none' trains nothing and stands alone, but the objective is {text!r}", remedy=_FORM)
    return tuple(terms)


def format_sum(terms: Sequence[Term]) -> str:
    """The one way to write a sum: equal sums, equal text."""
    return " + ".join(name if weight == 1 else f"{_number(weight)}*{name}" for weight, name in terms)


def _number(weight: float) -> str:
    return str(int(weight)) if weight == int(weight) and weight < 1e15 else repr(weight)


def _weight(text: str, at: int) -> tuple[float, int]:
    found = _WEIGHT.match(text, at)
    if found is None:
        return 1.0, at
    weight = float(found[1])
    if not (weight > 0 and math.isfinite(weight)):
        raise UserError(f"weight {found[1]} in objective {text!r} is not above zero", remedy="leave the term out")
    return weight, found.end()


def _name(text: str, at: int) -> tuple[str, int]:
    found = _NAME.match(text, at)
    if found is None:
        rest = text[at:].strip()
        wrong = f"{rest!r} stands where" if rest else "it ends where"
        raise UserError(f"objective {text!r}: {wrong} the name of an objective should stand", remedy=_FORM)
    return found[1], found.end()


def _plus(text: str, at: int) -> int:
    found = _PLUS.match(text, at)
    if found is None:
        raise UserError(f"objective {text!r}: {text[at:].strip()!r} stands where '+' should", remedy=_FORM)
    return found.end()


def _refuse_unfit(text: str, name: str, before: Sequence[str], known: Collection[str] | None) -> None:
    if name in before:
        raise UserError(f"objective {text!r} names {name!r} twice", remedy="give it one weight instead")
    if known is not None and name not in known:
        raise UserError(f"unknown objective {name!r}", remedy=guess(name, known))
