"""Where the curves of two cells part, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Course", "apart", "courses"]


@dataclass(frozen=True)
class Course:
    """One stage's curves."""

    stage: str
    """pretrain, or the task."""
    steps: tuple[int, int]
    """Rows in A and in B."""
    equal_to: int | None = None
    """The last step before they part; None where the first differs."""
    parts_at: int | None = None
    """The first step that differs; None where the curves are equal as far as both go."""
    figures: Mapping[str, tuple[Any, Any]] | None = None
    """What differs in it, in A and in B; loss first."""
    loss: tuple[int, float, float] | None = None
    """Where the loss parts later than something else does: the step, and it in A and in B."""

    @property
    def is_equal(self) -> bool:
        """Whether both are there, and the same."""
        return self.parts_at is None and self.steps[0] == self.steps[1]


def courses(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> Iterator[Course]:
    """Stage by stage."""
    stages = list(dict.fromkeys(str(row.get("stage", "")) for row in [*a, *b]))
    for stage in stages:
        one, other = ([row for row in curve if str(row.get("stage", "")) == stage] for curve in (a, b))
        yield _course(stage, one, other)


def _course(stage: str, a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> Course:
    steps = len(a), len(b)
    at = next((at for at, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), None)
    if at is None:
        return Course(stage, steps, equal_to=_step(a[: min(steps)], -1) if min(steps) else None)
    figures = apart(a[at], b[at], ("loss",))
    later = None if "loss" in figures else _loss_apart(a[at:], b[at:])
    return Course(stage, steps, _step(a, at - 1) if at else None, _step(a, at), figures, later)


def _loss_apart(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> tuple[int, float, float] | None:
    """The first step at which both have a loss, and not the same; with the loss of each."""
    for one, other in zip(a, b, strict=False):
        if "loss" in one and "loss" in other and one["loss"] != other["loss"]:
            return _step([one], 0), float(one["loss"]), float(other["loss"])
    return None


def _step(rows: Sequence[Mapping[str, Any]], at: int) -> int:
    return int(rows[at].get("step", at))


def apart(a: Mapping[str, Any], b: Mapping[str, Any], first: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """What differs between two rows, these keys first."""
    names = list(dict.fromkeys([*(key for key in first if key in a or key in b), *a, *b]))
    return {key: (a.get(key), b.get(key)) for key in names if a.get(key) != b.get(key)}
