"""Checks of an extra metric: one number for each stored prediction, a pure function of them, whatever their order.

Axes: N rows.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vlpbench.contract.metric import Metric
from vlpbench.metrics.names import SUITE, taken
from vlpbench.registry.checks import Unfit, check_component
from vlpbench.tasks.extra_metrics import NotMeasured, numbers
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.jobs import crew
from vlpbench.testing.references import Reference
from vlpbench.testing.small_grid import stored_rows

__all__ = [
    "MetricSubject", "check_another_process", "check_metadata", "check_one_row", "check_order_of_rows", "check_pure",
    "check_silence", "check_values",
]

Row = Mapping[str, Any]
Values = list[float | None]


@dataclass(frozen=True)
class MetricSubject:
    """A metric, and the predictions that it is tried on."""

    cls: type[Metric]
    """The class."""
    rows: Mapping[str, Sequence[Row]] | None = None
    """Task -> predictions of the author's own; None: those of a small grid that the kit runs."""

    @property
    def author(self) -> type[Metric]:
        """Whose file a fault is looked for in."""
        return self.cls

    def each(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Every task that the metric reads, with a fresh copy of its rows."""
        for task in sorted(self.cls.tasks):
            given = stored_rows(task) if self.rows is None else self.rows.get(task)
            if given:
                yield task, copy.deepcopy([dict(row) for row in given])

    def values(self, task: str, rows: Sequence[Row]) -> Values:
        """N: what the metric says of rows; CheckFailed for what is not one number or None a row."""
        found = self.cls().values(rows)
        try:
            return numbers(found, len(rows))
        except NotMeasured as wrong:
            cause = f"values() of {len(rows)} predictions of {task} {wrong}"
            raise CheckFailed(cause, "return a list with a finite number, or None, for each row, in order") from wrong


def _subject(given: Any) -> MetricSubject:
    return given if isinstance(given, MetricSubject) else MetricSubject(given)


def check_metadata(given: Any) -> None:
    """Name, version, tasks and direction are what the registry takes; the name is none that the suite uses."""
    cls = _subject(given).cls
    try:
        check_component("metric", cls)
    except Unfit as wrong:
        raise CheckFailed(str(wrong), wrong.remedy) from wrong
    if taken(cls.name) or taken(cls.name.replace("-", "_")):
        raise CheckFailed(f"`name` is {cls.name!r}, which the suite uses", "take another: the suite is shared")
    tasks: Any = getattr(cls, "tasks", None)
    if not isinstance(tasks, set | frozenset) or not tasks or not tasks <= set(SUITE):
        raise CheckFailed(f"`tasks` is {tasks!r}", f"a set of tasks whose predictions it reads: {', '.join(SUITE)}")
    higher: Any = cls.higher_is_better
    if not isinstance(higher, bool):
        raise CheckFailed(f"`higher_is_better` is {higher!r}", "say True or False")
    cites: Any = cls.cites
    if isinstance(cites, str) or not all(isinstance(one, str) for one in cites):
        raise CheckFailed(f"`cites` is {cites!r}", "it is a tuple of BibTeX entries or keys")


def check_values(given: Any) -> str:
    """One finite number or None for each stored prediction of every task that it reads; tells their means."""
    subject, said = _subject(given), []
    for task, rows in subject.each():
        known = [value for value in subject.values(task, rows) if value is not None]
        mean = f"mean {math.fsum(known) / len(known):.4g}" if known else "nothing"
        said.append(f"{task}: {mean} of {len(known)} of {len(rows)} rows")
    if not said:
        raise CheckFailed("there are no rows of any task that `tasks` names", "give rows of one")
    return "; ".join(said)


def check_pure(given: Any) -> None:
    """Asked twice it says the same, and the rows are as they were."""
    subject = _subject(given)
    for task, rows in subject.each():
        metric, before = subject.cls(), copy.deepcopy(rows)
        first = list(metric.values(rows))
        if rows != before:
            raise CheckFailed(f"values() changes the predictions of {task}{_where(before, rows)}",
                              "work on a copy: other metrics and the record read the same rows")
        _same(task, first, list(metric.values(rows)), "asked a second time")
        _same(task, first, subject.values(task, rows), "asked of another instance")


def check_order_of_rows(given: Any) -> None:
    """In another order of rows each has the value it had (relative 1e-9), wherever it stands."""
    subject = _subject(given)
    for task, rows in subject.each():
        before = subject.values(task, rows)
        order = list(range(len(rows)))
        random.Random(0).shuffle(order)
        after = subject.values(task, [rows[at] for at in order])
        _same(task, [before[at] for at in order], after, "in another order of rows")


def check_one_row(given: Any) -> None:
    """A single prediction, each by itself, has a value or None, too."""
    subject = _subject(given)
    for task, rows in subject.each():
        for row in (rows[0], rows[-1]):
            subject.values(task, [row])


def check_silence(given: Any) -> None:
    """Of a model that says nothing (every prediction is empty) there are numbers or None, too."""
    subject = _subject(given)
    words = [(task, rows) for task, rows in subject.each() if task in ("vqa", "captioning")]
    if not words:
        raise CheckSkipped("says-no-words", "it reads neither vqa nor captioning")
    for task, rows in words:
        subject.values(task, [{**row, "prediction": ""} for row in rows])


def check_another_process(given: Any) -> None:
    """Another process, which hashes strings otherwise, has the same values: no order of a set decides."""
    subject = _subject(given)
    for task, rows in subject.each():
        job = {"class": asdict(Reference.of(subject.cls)), "rows": rows}
        with TemporaryDirectory() as folder:
            (told,) = crew("vlpbench.testing.metric_worker").ask("measure", 1, job, Path(folder))
        if "error" in told:
            raise CheckFailed(f"another process failed on {task} with {told['error']}",
                              "let its module be importable, and its work the same in every process")
        _same(task, subject.values(task, rows), told["values"], "in another process")


def _same(task: str, one: Sequence[Any], two: Sequence[Any], how: str) -> None:
    """CheckFailed unless both say the same of every row."""
    pairs = zip(numbers(one, len(one)), numbers(two, len(two)), strict=True)
    for at, (was, now) in enumerate(pairs):
        if (was is None) != (now is None) or (was is not None and not math.isclose(was, now or 0.0, rel_tol=1e-9)):
            cause = f"values() of {task}, {how}: expected {was} for row {at}, saw {now}"
            raise CheckFailed(cause, "let it depend on the rows alone: no chance, no state, no order of a set")


def _where(before: Sequence[Row], after: Sequence[Row]) -> str:
    """The first key that is another."""
    for at, (one, two) in enumerate(zip(before, after, strict=False)):
        for key in {**one, **two}:
            if one.get(key, ...) != two.get(key, ...):
                return f" (row {at}, key {key!r})"
    return ""

