"""Why two cells, or all cells of two results folders, differ: reasons, what came out, and what follows from both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vlpbench.errors import UserError
from vlpbench.results.difference_outcome import Outcome, outcome
from vlpbench.results.difference_reasons import DECIDING, HEADS, Change, reasons, unknowns
from vlpbench.results.difference_records import Side, named, sides_of

__all__ = ["Difference", "Differences", "difference", "differences"]


@dataclass(frozen=True)
class Difference:
    """Two cells beside each other."""

    a: Side
    """The first."""
    b: Side
    """The second."""
    why: dict[str, list[Change]]
    """What differs, by the groups of `HEADS`."""
    unknown: list[str]
    """What cannot be compared."""
    outcome: Outcome | None
    """What came out; None where one has no numbers."""

    def changes(self, groups: Sequence[str]) -> list[tuple[str, Change]]:
        """What differs in some groups."""
        return [(group, change) for group in groups for change in self.why.get(group, ())]

    @property
    def verdict(self) -> str:
        """What follows, in a sentence."""
        if self.outcome is None:
            return "There is nothing to compare: " + " and ".join(_numberless(self.a, self.b))
        decides = [HEADS[group].partition(" (")[0] for group in DECIDING if group in self.why]
        which = "numbers that both have" if self.outcome.only else "numbers"
        if self.outcome.is_equal:
            if decides:
                return f"The {which} are equal, although what decides them differs: {', '.join(decides)}"
            return f"Nothing that decides numbers differs, and the {which} are equal" + self._as_far_as_known()
        if decides:
            return f"The numbers differ, and so does what decides them: {', '.join(decides)}"
        return f"Nothing that decides numbers differs, yet the numbers do{self._as_far_as_known()}. {self._suspects()}"

    def _suspects(self) -> str:
        """What may be behind numbers that differ though nothing that decides them does."""
        if not (self.a.environment and self.b.environment):
            return "Libraries and hardware are not known"
        changes = [change for _, change in self.changes(("libraries", "hardware"))]
        found = ["another machine" if one.key == "host" else one.key for one in changes]
        if not found:
            return "No difference of libraries or hardware is known"
        return f"Of libraries and hardware these differ: {', '.join(found)}"

    def _as_far_as_known(self) -> str:
        return " (as far as is known)" if self.unknown else ""

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "a": self.a.plain(), "b": self.b.plain(),
            "why": {group: [one.plain() for one in changes] for group, changes in self.why.items()},
            "unknown": self.unknown,
            "outcome": None if self.outcome is None else self.outcome.plain(),
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class Differences:
    """Two results folders beside each other: the cells of one row and seed are a pair."""

    pairs: tuple[Difference, ...]
    """Every pair, in the order of A's rows."""
    only_a: tuple[Side, ...]
    """Cells that B has not."""
    only_b: tuple[Side, ...]
    """Cells that A has not."""

    @property
    def in_all(self) -> list[tuple[str, Change]]:
        """What differs in every pair, and in the same way."""
        if len(self.pairs) < 2:
            return []
        first, *others = [one.changes(tuple(HEADS)) for one in self.pairs]
        return [one for one in first if all(one in other for other in others)]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "pairs": [one.plain() for one in self.pairs],
            "in_all": [{"group": group, **change.plain()} for group, change in self.in_all],
            "only_a": [one.plain() for one in self.only_a], "only_b": [one.plain() for one in self.only_b],
        }


def difference(a: Side, b: Side) -> Difference:
    """Compare two cells; parts of a record that are missing are named, never an error."""
    return Difference(a, b, reasons(a, b), unknowns(a, b), outcome(a, b))


def differences(a: str, b: str) -> Difference | Differences:
    """Compare what two texts name: two cells, two results folders, or a cell with its like in a results folder."""
    one, other = named(a), named(b)
    if isinstance(one, Side) and isinstance(other, Side):
        return difference(one, other)
    if isinstance(one, Side) and not isinstance(other, Side):
        return difference(one, _like(one, sides_of(other), b))
    if isinstance(other, Side) and not isinstance(one, Side):
        return difference(_like(other, sides_of(one), a), other)
    assert not isinstance(one, Side) and not isinstance(other, Side)
    return _paired(sides_of(one), sides_of(other))


def _paired(sides: Sequence[Side], others: Sequence[Side]) -> Differences:
    """Each cell with its like."""
    left = list(others)
    pairs, only = [], []
    for side in sides:
        fitting = [one for one in left if _is_like(side, one)]
        if not fitting:
            only.append(side)
            continue
        mate = _nearest(side, fitting)
        left.remove(mate)
        pairs.append(difference(side, mate))
    return Differences(tuple(pairs), tuple(only), tuple(left))


def _like(side: Side, others: Sequence[Side], where: str) -> Side:
    """The cell of the same row and seed in other results."""
    found = [one for one in others if _is_like(side, one)]
    if not found:
        raise UserError(f"{where} has no cell of row {side.row!r} and seed {side.seed}", where,
                        "name the cell: " + ", ".join(f"{where}:{one.path.name}" for one in others[:8]))
    return _nearest(side, found)


def _nearest(side: Side, fitting: Sequence[Side]) -> Side:
    """Of several cells of one row and seed that of the same id, else one that the grid still has, and that is done."""
    return max(fitting, key=lambda one: (one.id == side.id, bool(one.planned), one.is_done))


def _is_like(side: Side, other: Side) -> bool:
    return side.row == other.row and side.seed == other.seed


def _numberless(a: Side, b: Side) -> list[str]:
    """Each side without numbers, and why."""
    found = []
    for which, side in (("A", a), ("B", b)):
        if not side.is_done:
            found.append(f"{which} is {side.state}" + (f" ({side.cause})" if side.cause else ""))
    return found
