"""From results and what is asked for to a table; nothing else builds one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from vlpbench.results.notes import gap_notes, protocol_notes
from vlpbench.results.tables.asked import Asked
from vlpbench.results.tables.caption import caption, meaning
from vlpbench.results.tables.carried import agreement_notes, carried_notes
from vlpbench.results.tables.costs import cost_table
from vlpbench.results.tables.differences import difference_table
from vlpbench.results.tables.layout import Layout, named_rows
from vlpbench.results.tables.long import long_scores, long_table
from vlpbench.results.tables.model import Table
from vlpbench.results.tables.pivot import pivoted
from vlpbench.results.tables.scores import score_table
from vlpbench.results.tables.selection import narrowed, selected
from vlpbench.results.tables.verdicts import Verdicts, verdicts_of

if TYPE_CHECKING:
    import pandas as pd

    from vlpbench.results.frame import Results

__all__ = ["build", "long", "plain_scores"]


def build(results: Results, asked: Asked | None = None) -> Table:
    """The table with its caption and notes. UserError for a name that is not known, with the nearest right one."""
    asked = asked or Asked()
    layout = _laid_out(results, asked)
    mine, verdicts = layout.shown, verdicts_of(layout, asked)
    if asked.what == "cost":
        columns, lines = cost_table(mine, layout)
    elif asked.what == "differences":
        columns, lines = difference_table(layout, verdicts, asked)
    else:
        columns, lines = score_table(mine, layout, verdicts, asked)
    mine = _of_tasks(mine, layout)
    first = meaning(mine, layout, verdicts, asked, columns, lines)
    said, details = first, list[str]()
    if asked.what != "cost":
        protocol, carried = protocol_notes(mine), carried_notes(verdicts, asked)
        said = [*first, *protocol, *gap_notes(mine), *carried, *agreement_notes(mine, layout, asked)]
        details = [*protocol, *carried]
    return Table(
        columns, lines, layout.head, caption(mine, asked, first),
        tuple(dict.fromkeys((*said, *layout.notes, *results.conflicts))), frozenset(details), _label(mine, asked),
    )


def long(results: Results, asked: Asked | None = None) -> pd.DataFrame:
    """The same for programs: one line a place, task and metric, of costs one a line; numbers are unrounded."""
    asked = asked or Asked()
    if asked.what == "cost":
        return long_table(build(results, asked))
    layout = _laid_out(results, asked)
    return long_scores(layout, verdicts_of(layout, replace(asked, what="scores")), asked)


def plain_scores(results: Results, asked: Asked | None = None) -> Table:
    """The scores of the grids' named rows alone, the best not told, nothing tested, and nothing said under them."""
    asked = asked or Asked()
    layout = named_rows(results, asked)
    return Table(*score_table(results, layout, Verdicts(), asked), layout.head)


def _laid_out(results: Results, asked: Asked) -> Layout:
    mine = selected(results, asked)
    return pivoted(mine, asked) if asked.is_pivot else named_rows(mine, asked)


def _of_tasks(results: Results, layout: Layout) -> Results:
    """The same without tasks that have no column: nothing is said of them."""
    tasks = {task for task, _ in layout.scores}
    frame = results.frame
    return results if tasks >= set(frame["task"]) else narrowed(results, frame[frame["task"].isin(tasks)])


def _label(results: Results, asked: Asked) -> str:
    """Such as tab:simvlm-ablation-scores."""
    names = "-".join([*(order.name for order in results.orders), asked.what, *asked.rows, *asked.columns])
    return f"tab:{re.sub('[^A-Za-z0-9]+', '-', names).strip('-')}"
