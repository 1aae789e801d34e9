"""What a row says that a paper prints for it: `published = { "vqa.accuracy" = 67.43 }`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vlpbench.config.problems import Report
from vlpbench.config.task_name import TASKS
from vlpbench.config.typed import WrongValue, typed

__all__ = ["read_published"]


def read_published(table: Any, number: int, report: Report) -> Mapping[str, float]:
    """The numbers of the row `number` (from 0) by `task.metric`; what is none is reported."""
    place: tuple[str | int, ...] = ("rows", number, "published")
    if not isinstance(table, dict):
        report.add(place, "must be a table of numbers", 'write for example { "vqa.accuracy" = 67.43 }')
        return {}
    found: dict[str, float] = {}
    for key, value in _scores(table):
        task, dot, _metric = key.partition(".")
        if not dot or task not in TASKS:
            remedy = f"write task.metric; tasks: {', '.join(TASKS)}"
            report.add((*place, *key.split(".")), f"{key!r} is no score", remedy)
            continue
        try:
            found[key] = typed(float, value)
        except WrongValue as wrong:
            report.add((*place, *key.split(".")), str(wrong), wrong.remedy)
    return found


def _scores(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`task.metric` and number, whether nested or in one quoted key."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{name}", one) for name, one in _scores(value))
        else:
            yield key, value
