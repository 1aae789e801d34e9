"""Which prediction belongs to which annotation: by id, never by place; missing, extra and doubled ones are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vlpbench.errors import UserError
from vlpbench.scoring.documents import Document, Rows, first_few

__all__ = ["Id", "id_notes", "ids", "matched", "spelt", "text_problem"]

Id = int | str
"""An id as it is compared: a whole number, or a text that does not spell one."""
EXACT = 2**53
"""Whole numbers up to here survive being written as a decimal fraction (pandas does so to ids)."""


def spelt(value: Any) -> Id | None:
    """The id that a JSON value means: 42, "42" and 42.0 are one id; "042" and "n42" are texts; None for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= EXACT else None
    if not isinstance(value, str) or not value.strip() or text_problem(value):
        return None
    digits = value.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 20 and str(int(value)) == value:
        return int(value)
    return value


def ids(rows: Rows, key: str) -> list[Id]:
    """The id under `key` of every row, in file order; UserError where it is missing or no id."""
    given = rows.column(key, lambda value: None if spelt(value) is not None else f"is no id ({value!r})",
                        "ids are whole numbers, such as 42; null, lists and fractions are not")
    return [found for value in given if (found := spelt(value)) is not None]


def id_notes(rows: Rows, key: str) -> list[str]:
    """A sentence if ids that are whole numbers were written as something else."""
    odd = [row[key] for row in rows.found if not isinstance(row[key], int) and isinstance(spelt(row[key]), int)]
    if not odd:
        return []
    where = rows.document.path.name
    return [f"{len(odd)} {key}s in {where} are not written as whole numbers (such as {odd[0]!r}) but taken as such"]


def matched(
    predicted: Sequence[Id], wanted: Mapping[Id, int], rows: Rows, against: Document, what: str, subset: bool = False
) -> dict[int, int]:
    """Place of the annotated thing (`wanted`: id -> place) -> number of its row among the predictions.

    `what` is one annotated thing ("question"). UserError names the predictions that are doubled, those of nothing
    annotated and, unless `subset`, the annotated things without prediction: how many, and the first few ids.
    """
    counts = Counter(predicted)
    doubled = [found for found, count in counts.items() if count > 1]
    extra = [found for found in counts if found not in wanted]
    missing = [] if subset else [found for found in wanted if found not in counts]
    causes = []
    if missing:
        causes.append(f"{len(missing)} of {len(wanted)} {what}s without prediction: {first_few(missing)}")
    if extra:
        named = f"{what}{'s' * (len(extra) > 1)}"
        causes.append(f"{len(extra)} predicted {named} not in {against.path.name}: {first_few(extra)}")
    if doubled:
        twice = (f"{found} (number {first_few(_places(predicted, found))})" for found in doubled)
        causes.append(f"{len(doubled)} predicted more than once: {first_few(twice)}")
    if causes:
        remedy = _remedy(counts, wanted, bool(missing), bool(extra), what)
        raise UserError("; ".join(causes), f"{rows.document.where}, {against.option} {against.path}", remedy)
    return {wanted[found]: at for at, found in enumerate(predicted)}


def _places(predicted: Sequence[Id], wanted: Id) -> list[int]:
    return [at + 1 for at, found in enumerate(predicted) if found == wanted]


def _remedy(counts: Counter[Id], wanted: Mapping[Id, int], missing: bool, extra: bool, what: str) -> str:
    """What to do about ids that do not fit."""
    if not counts.keys() & wanted.keys():
        kinds = {kind: {type(found) is int for found in side} for kind, side in (("p", counts), ("a", wanted))}
        if kinds["p"] != kinds["a"]:
            words = [f"predictions have ids such as {next(iter(counts))!r}, annotations such as {next(iter(wanted))!r}"]
            return f"{words[0]}: write them alike"
        return "no id is on both sides: are these files of the same split?"
    if extra or not missing:
        return f"give exactly one prediction for each {what}; padding of a last batch repeats some"
    more = "; --subset scores the predicted ones alone, which is another number" if what == "image" else ""
    return f"give one prediction for each {what}{more}"


def text_problem(value: Any) -> str | None:
    """What is wrong with an answer or a caption ("is not a text (null)"), or None. Empty texts are texts."""
    if not isinstance(value, str):
        return f"is not a text ({'null' if value is None else repr(value)[:40]})"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate)"
    return None
