"""The table of differences: each line beside its baseline in each metric, with interval and tests."""

from __future__ import annotations

from vlpbench.errors import UserError
from vlpbench.results.comparisons import Comparison
from vlpbench.results.metric_names import factor, head
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.entries import NOTHING, difference_entry, number, p_entry
from vlpbench.results.tables.layout import Layout
from vlpbench.results.tables.model import Column, Entry, Line
from vlpbench.results.tables.verdicts import Verdicts

__all__ = ["difference_table"]


def difference_table(
    layout: Layout, verdicts: Verdicts, asked: Asked
) -> tuple[tuple[Column, ...], tuple[Line, ...]]:
    """Metric by metric, the lines in their order. UserError where there is no baseline."""
    if not verdicts.baselines:
        raise UserError(
            "there is no row to take differences to", "--baseline",
            f"name one of {', '.join(repr(line) for line in layout.lines)}",
        )
    found = {
        (line, across, score): verdicts.deltas[line, across, *score]
        for score in layout.scores for across in layout.across for line in layout.lines
        if (line, across, *score) in verdicts.deltas
    }
    noted = any(one.note for one in found.values())
    settings = ", ".join(asked.columns)
    columns = [
        *([Column(settings, kind="text")] if settings else []), Column("score", kind="text"),
        Column("Δ", kind="difference"), Column(f"{100 * (1 - asked.alpha):g} % interval", kind="text"),
        Column("p"), Column("p (Holm)"), Column("p (sign flips)"), Column("better in"), Column("n"),
        *([Column("note", kind="text")] if noted else []),
    ]
    lines = []
    for (line, across, score), one in found.items():
        before = [Entry(text=across)] if settings else []
        behind = [Entry(text=one.note) if one.note else NOTHING] if noted else []
        lines.append(Line(line, (*before, Entry(text=head(*score)), *_entries(one, asked), *behind)))
    return tuple(columns), tuple(lines)


def _entries(one: Comparison, asked: Asked) -> tuple[Entry, ...]:
    share = Entry(text=f"{one.improvement:.0%}") if one.improvement == one.improvement else NOTHING
    return (
        difference_entry(one, asked), _interval(one, asked), p_entry(one.p), p_entry(one.corrected),
        p_entry(one.sign_flip), share, number(float(len(one.seeds)), 0),
    )


def _interval(one: Comparison, asked: Asked) -> Entry:
    """Both ends, each with its sign."""
    if one.low != one.low or one.high != one.high:
        return NOTHING
    ends = [f"{end * factor(one.metric):+.{asked.decimals}f}".replace("-", "−") for end in (one.low, one.high)]
    return Entry(text=f"[{ends[0]}, {ends[1]}]")
