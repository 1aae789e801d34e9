"""Predictions belong to ids: a missing, extra or doubled id is an error, never something to average away."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeVar

from vlpbench.errors import UserError

__all__ = ["same_ids", "unique"]

Value = TypeVar("Value")
SHOWN = 5
"""How many offending ids an error names."""


def unique(pairs: Iterable[tuple[int, Value]], what: str = "prediction") -> dict[int, Value]:
    """The pairs as a mapping; UserError where an id comes twice (padding of a last batch, say).

    >>> unique([(7, "a dog"), (9, "a cat")])
    {7: 'a dog', 9: 'a cat'}
    """
    found: dict[int, Value] = {}
    doubled: list[int] = []
    for key, value in pairs:
        if key in found:
            doubled.append(key)
        found[key] = value
    if doubled:
        raise UserError(
            f"{len(doubled)} doubled {what} ids: {_listed(doubled)}",
            remedy=f"keep one {what} an id; a sampler that pads the last batch repeats samples",
        )
    return found


def same_ids(predicted: Collection[int], wanted: Collection[int], what: str) -> None:
    """UserError unless both hold the same ids; it names those that are missing and those that are too many."""
    if not wanted:
        raise UserError(f"there is no {what} to score")
    missing, extra = set(wanted) - set(predicted), set(predicted) - set(wanted)
    if not missing and not extra:
        return
    found = [f"{len(ids)} {word}: {_listed(ids)}" for ids, word in ((missing, "missing"), (extra, "extra")) if ids]
    raise UserError(
        f"the predictions are not those of the {len(wanted)} {what}s ({'; '.join(found)})",
        remedy=f"give exactly one prediction for each {what} of the split",
    )


def _listed(ids: Iterable[int]) -> str:
    """The smallest few ids, and a sign that there are more."""
    listed = sorted(ids, key=lambda i: (str(type(i)), i))
    return ", ".join(repr(i) for i in listed[:SHOWN]) + (", ..." if len(listed) > SHOWN else "")
