"""A published column beside ours as a table that every format prints."""

from __future__ import annotations

import math
import re

from vlpbench.results.reproduction.found import Compared, Reproduction
from vlpbench.results.reproduction.notes import caption, notes
from vlpbench.results.tables import Column, Entry, Line, Table
from vlpbench.results.tables.entries import FAILED, NOTHING, SIGNIFICANT, number, p_entry

__all__ = ["reproduction_table", "verdict_words"]


def reproduction_table(found: Reproduction, *, is_narrow: bool = False) -> Table:
    """One line a row, in the grid's order; under it what the verdicts mean and what all rows together say.

    A narrow one has p under Holm alone and not what each row sees: it fits the width of a paper's page.
    """
    level = f"{100 * (1 - found.alpha):g} % interval"
    columns = (
        Column("published Δ", kind="difference"), Column("our Δ", kind="difference"), Column(level, kind="text"),
        Column("verdict", kind="text"), Column("p"), Column("p (Holm)"), Column("p (sign flips)"), Column("n"),
        Column("sees", kind="text"),
    )
    left_out = ("p", "p (sign flips)", "sees") if is_narrow else ()
    shown = [at for at, column in enumerate(columns) if column.name not in left_out]
    lines = []
    for one in found.rows:
        entries = _entries(one, found)
        lines.append(Line(one.row, tuple(entries[at] for at in shown)))
    name = f"{found.grid}-reproduction-{found.task}-{found.metric}"
    return Table(
        tuple(columns[at] for at in shown), tuple(lines), "row", caption(found, is_narrow), notes(found, is_narrow),
        label=f"tab:{re.sub('[^A-Za-z0-9]+', '-', name)}",
    )


def verdict_words(one: Compared, margin: float | None) -> str:
    """The verdict, and behind it that a difference as large as the margin is ruled out, where that is so."""
    if not one.is_within(margin):
        return one.verdict
    none = f"no difference of {margin:g}"
    return none if one.verdict == "not shown" else f"{one.verdict}, {none}"


def _entries(one: Compared, found: Reproduction) -> tuple[Entry, ...]:
    digits = found.digits
    star = SIGNIFICANT if one.is_significant(found.alpha) else ""
    mark = star + (FAILED if one.missing else "")
    ours = NOTHING if math.isnan(one.difference) else Entry(one.difference, decimals=digits, mark=mark)
    n = len(one.seeds)
    return (
        Entry(one.published, decimals=found.decimals), ours, _interval(one, digits),
        Entry(text=verdict_words(one, found.margin)), p_entry(one.p), p_entry(one.corrected), p_entry(one.sign_flip),
        Entry(text=f"{n}/{n + len(one.missing)}" if one.missing else str(n)), number(one.smallest, digits),
    )


def _interval(one: Compared, digits: int) -> Entry:
    """Both ends, each with its sign."""
    if math.isnan(one.low):
        return NOTHING
    ends = [f"{end:+.{digits}f}".replace("-", "−") for end in (one.low, one.high)]
    return Entry(text=f"[{ends[0]}, {ends[1]}]")
