"""Predictions belong to ids: a missing, extra or doubled id is an error, never something to average away.

An id is a whole number or a string; 7 and "7" are two ids. Every error says how many offend, and names the first few.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from vlpbench.errors import UserError

__all__ = ["Id", "listed", "only_strings", "same_ids", "unique"]

Id = int | str
Key = TypeVar("Key", bound=Id)
Value = TypeVar("Value")
SHOWN = 5
"""How many offending ids an error names."""


def unique(pairs: Iterable[tuple[Key, Value]], what: str = "prediction") -> dict[Key, Value]:
    """The pairs as a mapping; UserError where an id comes twice (padding of a last batch, say).

    >>> unique([(7, "a dog"), (9, "a cat")])
    {7: 'a dog', 9: 'a cat'}
    """
    found: dict[Key, Value] = {}
    doubled: set[Key] = set()
    for key, value in pairs:
        if key in found:
            doubled.add(key)
        found[key] = value
    if doubled:
        raise UserError(
            f"{len(doubled)} doubled {what} ids: {listed(doubled)}",
            remedy=f"keep one {what} an id; a sampler that pads the last batch repeats samples",
        )
    return found


def same_ids(predicted: Collection[Id], wanted: Collection[Id], what: str, given: str = "predictions") -> None:
    """UserError unless both hold the same ids; it names those that are missing and those that are too many.

    `what` is the one thing that has an id ("question"), `given` the many that should fit ("predictions").
    """
    if not wanted:
        raise UserError(f"there is no {what} to score")
    missing, extra = set(wanted) - set(predicted), set(predicted) - set(wanted)
    if not missing and not extra:
        return
    found = [f"{len(ids)} {word}: {listed(ids)}" for ids, word in ((missing, "missing"), (extra, "extra")) if ids]
    remedy = f"give exactly one {given.removesuffix('s')} for each {what} of the split"
    if {str(i) for i in missing} & {str(i) for i in extra}:
        remedy = 'write the ids alike: 7 is a number, "7" is a string'
    raise UserError(
        f"the {given} are not those of the {len(wanted)} {what}s ({'; '.join(found)})",
        remedy=remedy,
    )


def only_strings(predictions: Mapping[Key, str], what: str) -> None:
    """UserError that names the predictions which are not strings; `what` is the one thing that has an id."""
    wrong = [key for key, said in predictions.items() if not isinstance(said, str)]
    if wrong:
        first = min(wrong, key=_order)
        which = f"the prediction for {what} {first!r} is"
        if len(wrong) > 1:
            which = f"{len(wrong)} predictions are not strings ({what}s {listed(wrong)}): the first is"
        raise UserError(
            f"{which} {predictions[first]!r}, not a string",
            remedy='write each as text, such as "2" for 2',
        )


def listed(ids: Iterable[Id]) -> str:
    """The smallest few ids, and a sign that there are more.

    >>> listed(range(9))
    '0, 1, 2, 3, 4, ...'
    """
    ordered = sorted(ids, key=_order)
    return ", ".join(repr(i) for i in ordered[:SHOWN]) + (", ..." if len(ordered) > SHOWN else "")


def _order(key: Id) -> tuple[str, Id]:
    """Numbers in their order, then strings in theirs."""
    return str(type(key)), key
