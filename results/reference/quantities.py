"""What a derived block may name: tables, notes and pictures, and single numbers, each from a grid's frame.

- table, differences, costs, reproduction: the table alone; metrics=a,b tasks=a,b baseline=ROW decimals=2 and so on
- notes table (or differences, reproduction): what must be said under it, as a list
- plot bars-vqa: the picture of that name in plots/
- value ROW TASK METRIC WHAT: mean, std, n, least, most over seeds; ROW may be a floor (chance)
- difference ROW TASK METRIC WHAT: mean, low, high, p, holm, flips, n, least, most; baseline=ROW
- reproduced WHAT: certain, published, same, opposite, chance, tau, rho, sees, ... of all rows
- reproduced ROW WHAT: verdict, published, difference, low, high, p, corrected, n, ... of one
- count WHAT: rows, seeds, cells, done, examples, images

Names with blanks stand in quotation marks; decimals=2 says how many digits a number has behind its point.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from vlpbench.errors import UserError, unknown
from vlpbench.results import load
from vlpbench.results.comparisons import compare_with
from vlpbench.results.frame import Results
from vlpbench.results.metric_names import factor
from vlpbench.results.pairing import Measured, measured, paired
from vlpbench.results.plots import alternative, draw
from vlpbench.results.reproduction import Reproduction, ReproductionAsked, reproduction_table, reproductions
from vlpbench.results.tables import Entry, Table, markdown
from vlpbench.results.tables.entry_text import text_of

__all__ = ["BLOCKS", "Source", "quantity"]

BLOCKS = ("table", "differences", "costs", "reproduction", "notes", "plot")
"""What has lines of its own."""

_LISTS = ("metrics", "tasks", "beside")


class Source:
    """A grid's frame, read once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name, self.frame = folder, folder.name, folder / "frame.parquet"
        self.results: Results = load(self.frame)

    @cached_property
    def reproductions(self) -> list[Reproduction]:
        """One a published column; none where nothing is published."""
        printed = [numbers for order in self.results.orders for numbers in order.published.values()]
        return reproductions(self.results, ReproductionAsked()) if len(printed) > 1 else []

    def rows(self, task: str, metric: str) -> dict[str, Measured]:
        """Row -> its scores; UserError where there are none of such a task and metric."""
        found = measured(self.results, [(task, metric)])
        if not found:
            known = {f"{one} {other}" for one, other in self._scores()}
            raise unknown("task and metric", f"{task} {metric}", known)
        return next(iter(found.values()))

    def _scores(self) -> set[tuple[str, str]]:
        frame = self.results.frame.dropna(subset="value")
        return set(zip(frame["task"], frame["metric"], strict=True))


def quantity(source: Source, words: Sequence[str], page: Path) -> str:
    """What the words of a block name, as Markdown; `page`: the folder that pictures are named from."""
    options = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    names = [word for word in words[1:] if "=" not in word]
    if not words or words[0] not in _KINDS:
        raise unknown("derived block", words[0] if words else "", _KINDS)
    return _KINDS[words[0]](source, names, {**options, "page": str(page)})


def _table(source: Source, kind: str, options: Mapping[str, str]) -> Table:
    if kind == "reproduction":
        return reproduction_table(_reproduction(source, options))
    what = {"table": "scores", "differences": "differences", "costs": "cost"}
    if kind not in what:
        raise unknown("table", kind, [*what, "reproduction"])
    told: dict[str, Any] = {name: value for name, value in options.items() if name != "page"}
    told |= {name: told[name].split(",") if told[name] else [] for name in _LISTS if name in told}
    told |= {"decimals": int(told["decimals"])} if "decimals" in told else {}
    return source.results.table(what=what[kind], **told)


def _bare(kind: str) -> Callable[[Source, Sequence[str], Mapping[str, str]], str]:
    """A table without what stands under it."""

    def of(source: Source, names: Sequence[str], options: Mapping[str, str]) -> str:
        _named(names)
        return markdown(dataclasses.replace(_table(source, kind, options), caption="", notes=()))

    return of


def _notes(source: Source, names: Sequence[str], options: Mapping[str, str]) -> str:
    (kind,) = _named(names, "TABLE")
    return markdown(_table(source, kind, options).for_screen()).partition("\n\n")[2]


def _plot(source: Source, names: Sequence[str], options: Mapping[str, str]) -> str:
    (name,) = _named(names, "PLOT")
    kind, _, task = name.partition("-")
    told = {"task": task} if task else {}
    path = Path(source.folder, "plots", f"{name}.svg").relative_to(options["page"])
    return f"![{alternative(draw(source.results, kind, **told, width='page'))}]({path.as_posix()})"


def _value(source: Source, names: Sequence[str], options: Mapping[str, str]) -> str:
    row, task, metric, what = _named(names, "ROW", "TASK", "METRIC", "WHAT")
    rows, floors = source.rows(task, metric), source.results.floors()
    mine = floors[(floors["floor"] == row) & (floors["task"] == task) & (floors["metric"] == metric)]
    if row not in rows and len(mine):
        return _number(factor(metric) * float(mine["value"].iloc[0]), options)
    if row not in rows:
        raise unknown("row", row, [*rows, *floors["floor"].unique()])
    scores = [factor(metric) * one.value for one in rows[row].scores.values()]
    return _of_numbers(scores, what, options)


def _difference(source: Source, names: Sequence[str], options: Mapping[str, str]) -> str:
    row, task, metric, what = _named(names, "ROW", "TASK", "METRIC", "WHAT")
    rows, baseline = source.rows(task, metric), options.get("baseline") or source.results.orders[0].reference
    compared = {one.row: one for one in compare_with(source.results, baseline, [(task, metric)])}
    if row not in compared:
        raise unknown("row", row, compared)
    one, scale = compared[row], factor(metric)
    ps = {"p": one.p, "holm": one.corrected, "flips": one.sign_flip}
    if what in ps:
        return _p(ps[what])
    if what in ("low", "high"):
        return _number(scale * getattr(one, what), options, "difference")
    pairs = paired(rows[row], rows[baseline]).differences
    return _of_numbers([scale * float(pair) for pair in pairs], what, options, "difference")


def _reproduced(source: Source, names: Sequence[str], options: Mapping[str, str]) -> str:
    found = _reproduction(source, options)
    if len(names) == 1:
        signs, ranks = dataclasses.asdict(found.signs), found.agreement.ranks
        known: dict[str, Any] = {
            **signs, **(dataclasses.asdict(ranks) if ranks else {}), "comparisons": found.comparisons,
            "sees": found.largest_smallest()[0], "sees_corrected": found.largest_smallest(corrected=True)[0],
            "incomplete": len(found.incomplete),
        }
        if names[0] not in known:
            raise unknown("quantity of a reproduction", names[0], known)
        value, is_p = known[names[0]], names[0] in ("chance", "tau_p", "rho_p")
        return _p(value) if is_p else _plain(value, options, 1 if names[0].startswith("sees") else 2)
    row, what = _named(names, "ROW", "WHAT")
    rows = {one.row: one for one in found.rows}
    if row not in rows:
        raise unknown("row with a published difference", row, rows)
    one = rows[row]
    numbers = {**dataclasses.asdict(one), "verdict": one.verdict, "n": len(one.seeds)}
    if what not in numbers:
        raise unknown("quantity of a row", what, numbers)
    if what in ("p", "corrected", "sign_flip"):
        return _p(numbers[what])
    if what in ("published", "difference", "low", "high", "wide_low", "wide_high"):
        return _number(numbers[what], {"decimals": str(found.digits), **options}, "difference")
    return _plain(numbers[what], options, found.digits)


def _reproduction(source: Source, options: Mapping[str, str]) -> Reproduction:
    metric = options.get("metric")
    found = [one for one in source.reproductions if metric in (None, one.metric, f"{one.task}.{one.metric}")]
    if not found:
        raise UserError("no paper prints such numbers for two rows of the grid", "", "leave the block out")
    return found[0]


def _count(source: Source, names: Sequence[str], _: Mapping[str, str]) -> str:
    (what,) = _named(names, "WHAT")
    frame = source.results.frame
    done = frame[frame["status"] == "done"]
    counts = {
        "rows": frame["row"].nunique(), "seeds": frame["seed"].nunique(), "cells": frame["cell"].nunique(),
        "done": done["cell"].nunique(), "examples": done["examples"].max(), "images": done["images"].max(),
    }
    if what not in counts:
        raise unknown("count", what, counts)
    return f"{int(counts[what]):,}"


_KINDS: Mapping[str, Callable[[Source, Sequence[str], Mapping[str, str]], str]] = {
    **{kind: _bare(kind) for kind in ("table", "differences", "costs", "reproduction")},
    "notes": _notes, "plot": _plot, "value": _value, "difference": _difference, "reproduced": _reproduced,
    "count": _count,
}


def _named(names: Sequence[str], *wanted: str) -> Sequence[str]:
    if len(names) != len(wanted):
        raise UserError(f"{len(names)} names where {len(wanted)} are wanted", "",
                        f"say {' '.join(wanted) or 'nothing'}, a name with blanks in quotation marks")
    return names


def _of_numbers(values: Sequence[float], what: str, options: Mapping[str, str], kind: Any = "score") -> str:
    """One number of several, one a seed."""
    n, mean = len(values), math.fsum(values) / len(values) if values else math.nan
    known = {
        "mean": mean, "least": min(values, default=math.nan), "most": max(values, default=math.nan),
        "std": math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (n - 1)) if n > 1 else math.nan,
    }
    if what == "n":
        return str(n)
    if what not in known:
        raise unknown("quantity", what, [*known, "n"])
    return _number(known[what], options, "score" if what == "std" else kind)


def _number(value: float, options: Mapping[str, str], kind: Any = "score") -> str:
    return text_of(Entry(value, decimals=int(options.get("decimals", 1))), kind)


def _plain(value: Any, options: Mapping[str, str], decimals: int) -> str:
    if not isinstance(value, float):
        return str(value)
    return _number(value, {"decimals": str(decimals), **options})


def _p(value: float) -> str:
    return "–" if value != value else "< 0.001" if value < 0.001 else f"{value:.3f}"
