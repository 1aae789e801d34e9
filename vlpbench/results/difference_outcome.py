"""What came out of two cells: where their curves part, which scores differ, which predictions."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vlpbench.files import readable
from vlpbench.results.difference_curves import Course, courses
from vlpbench.results.difference_predictions import Predicted, predicted
from vlpbench.results.difference_records import Side

__all__ = ["Outcome", "Scored", "outcome"]


@dataclass(frozen=True)
class Scored:
    """One score that is not the same."""

    name: str
    """`task.metric`."""
    a: float | None
    """In A; None where there is none."""
    b: float | None
    """In B."""
    reason: str = ""
    """Why one has none; "" where that is not said."""


@dataclass(frozen=True)
class Outcome:
    """All that came out of two cells, beside each other."""

    courses: tuple[Course, ...]
    """Every stage, in order."""
    scores: tuple[Scored, ...]
    """Scores that differ."""
    compared: int
    """Scores that were compared."""
    predictions: tuple[Predicted, ...]
    """Every task with stored predictions."""
    only: Mapping[str, str]
    """Tasks that one alone evaluated, with which: "A" or "B". Nothing of them stands in the other fields."""

    @property
    def is_equal(self) -> bool:
        """Whether no number differs that both have."""
        return not self.scores and self._rest_is_equal

    @property
    def _rest_is_equal(self) -> bool:
        return all(one.is_equal for one in self.courses) and all(one.is_equal for one in self.predictions)

    def plain(self) -> dict[str, Any]:
        """As JSON has it; what is not a finite number is a text."""
        found: dict[str, Any] = _finite(asdict(self))
        return found | {"is_equal": self.is_equal}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def outcome(a: Side, b: Side) -> Outcome | None:
    """What came out of both; None where one of them has no numbers."""
    if not (a.is_done and b.is_done):
        return None
    asked, others = _tasks(a), _tasks(b)
    only = {task: "A" if task in asked else "B" for task in [*asked, *others] if (task in asked) != (task in others)}
    found, other = (dict(_scores(one, only)) for one in (asked, others))
    names = list(dict.fromkeys([*found, *other]))
    pairs = [_scored(name, found.get(name), other.get(name)) for name in names]
    curves = [one for one in courses(a.curve, b.curve) if one.stage not in only]
    files = sorted({*a.tasks(), *b.tasks()} - {readable(task) for task in only})
    scores = tuple(one for one in pairs if one.a != one.b)
    return Outcome(tuple(curves), scores, len(names), tuple(predicted(task, a, b) for task in files), only)


def _tasks(side: Side) -> dict[str, Any]:
    found = side.scores.get("tasks", {})
    return {task: said for task, said in found.items() if isinstance(said, dict)} if isinstance(found, dict) else {}


def _scores(
    tasks: Mapping[str, Mapping[str, Any]], left_out: Collection[str]
) -> Iterator[tuple[str, tuple[float | None, str]]]:
    """Name, value and the reason why there is none, of all that was measured."""
    for task, found in tasks.items():
        if task in left_out:
            continue
        if "values" not in found:
            yield task, (None, str(found.get("reason", "")))
            continue
        reasons = found.get("reasons", {})
        for metric, value in found["values"].items():
            yield f"{task}.{metric}", (value, str(reasons.get(metric, "")))


def _scored(name: str, a: tuple[float | None, str] | None, b: tuple[float | None, str] | None) -> Scored:
    (one, why), (other, why_not) = a or (None, "not measured in A"), b or (None, "not measured in B")
    return Scored(name, one, other, why or why_not)
