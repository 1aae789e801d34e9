"""The tables of a page: scores, differences where rows are held against one of them, and what all of it cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING

from vlpbench.results.compute import compute
from vlpbench.results.compute.model import Compute
from vlpbench.results.compute.wording import machine_text, scaled, time_text
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.build import build
from vlpbench.results.tables.entry_text import prose
from vlpbench.results.tables.html import html
from vlpbench.results.tables.model import Column, Entry, Line, Table

if TYPE_CHECKING:
    from markupsafe import Markup

    from vlpbench.results.frame import Results

__all__ = ["Numbers", "Sentence", "numbers"]

Sentence = tuple[tuple[str, bool], ...]
"""Parts of a sentence, each with whether it is set as code."""


@dataclass(frozen=True)
class Numbers:
    """One section with numbers."""

    id: str
    """Its anchor."""
    name: str
    """Its head."""
    first: tuple[str, ...]
    """Sentences before the tables."""
    tables: tuple[tuple[str, Markup], ...]
    """What each table is called, and the table."""
    caption: Sentence
    """What a paper says over the first table; may be empty."""
    notes: tuple[Sentence, ...]
    """What must be said under them."""


def numbers(results: Results, baseline: str | None = None) -> list[Numbers]:
    """The sections there are: differences only to a baseline, which is the grids' reference row where none is named.

    UserError for a baseline that is no row.
    """
    found = [_section("scores", "Scores", build(results, Asked(baseline=baseline)))]
    if baseline or (baseline is None and any(order.reference for order in results.orders)):
        table = build(results, Asked(what="differences", baseline=baseline))
        known = set(found[0].notes)
        section = _section("differences", "Differences", table)
        found.append(replace(section, notes=tuple(note for note in section.notes if note not in known)))
    return [*found, _cost(results)]


def _section(id: str, name: str, table: Table) -> Numbers:  # noqa: A002 (what HTML calls it)
    first = () if table.lines and table.columns else ("No cell has a number yet.",)
    notes = tuple(map(_sentence, table.notes))
    return Numbers(id, name, first, _tables((name, table)), _sentence(table.caption), notes)


def _cost(results: Results) -> Numbers:
    table, took = build(results, Asked(what="cost")), compute(results)
    first = tuple(f"Device: {machine_text(one)}." for one in took.machines)
    return Numbers(
        "cost", "Cost", (*first, _in_all(took)), _tables(("Cost of a cell", table), ("Time by stage", _stages(took))),
        _sentence(table.caption), tuple(map(_sentence, dict.fromkeys((*table.notes, *took.notes)))),
    )


def _in_all(took: Compute) -> str:
    lost = took.unfinished_hours
    part = f", of them {time_text(lost)} without a result so far" if lost > 0 else ""
    whole = "a time that no record tells" if isnan(took.hours) else time_text(took.hours)
    tries = sum(one.tries for one in took.states)
    failed = f" Cells failed or ran out of time {'once' if tries == 1 else f'{tries:,} times'}." if tries else ""
    return f"In all: {whole}{part}; {scaled(took.flops, 'FLOPs')} of finished training.{failed}"


def _stages(took: Compute) -> Table:
    """Hours by kind of stage, each stage once however many cells share it."""
    heads = ("finished", "unfinished", "starts", "hours", "hours unfinished", "no time known")
    lines = [
        Line(one.stage, tuple(
            Entry(float(value), decimals=decimals)
            for value, decimals in (
                (one.finished, 0), (one.unfinished, 0), (one.starts, 0), (one.hours, 3), (one.unfinished_hours, 3),
                (one.untimed, 0),
            )
        ))
        for one in took.stages
    ]
    return Table(tuple(Column(name) for name in heads), tuple(lines), "stage")


def _tables(*named: tuple[str, Table]) -> tuple[tuple[str, Markup], ...]:
    """Those that have anything in them; captions and notes stand beside, where they need not be scrolled."""
    from markupsafe import Markup

    return tuple(
        (name, Markup(html(replace(table, caption="", notes=()))))  # escaped by html
        for name, table in named if table.lines and table.columns
    )


def _sentence(text: str) -> Sentence:
    return tuple(prose(text))

