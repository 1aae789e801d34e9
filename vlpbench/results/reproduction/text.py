"""Published differences beside ours, as text: Markdown, LaTeX, and for programs CSV and JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, Literal

from vlpbench.results.metric_names import head
from vlpbench.results.reproduction.found import Compared, Reproduction
from vlpbench.results.reproduction.table import reproduction_table
from vlpbench.results.tables import latex, markdown

__all__ = ["Form", "reproduction_text"]

Form = Literal["md", "latex", "csv", "json"]


def reproduction_text(found: Sequence[Reproduction], form: Form = "md") -> str:
    """All of them in a format; several tables have a heading each. Numbers of csv and json are unrounded."""
    if form == "latex":
        return "\n\n".join(latex(reproduction_table(one, is_narrow=True)) for one in found)
    if form == "csv":
        return _csv(found)
    if form == "json":
        return json.dumps([_object(one) for one in found], indent=1, ensure_ascii=False)
    parts = []
    for one in found:
        heading = f"## {one.grid}: {head(one.task, one.metric)}\n\n" if len(found) > 1 else ""
        parts.append(heading + markdown(reproduction_table(one).for_screen()))
    return "\n\n".join(parts)


def _csv(found: Sequence[Reproduction]) -> str:
    """One line a comparison."""
    import pandas as pd

    lines = [
        {"grid": one.grid, "task": one.task, "metric": one.metric, "baseline": one.baseline, **_line(row, one)}
        for one in found for row in one.rows
    ]
    return str(pd.DataFrame(lines).to_csv(index=False)).rstrip("\n")


def _line(row: Compared, found: Reproduction) -> dict[str, Any]:
    """A comparison's numbers; seeds as words with blanks between them."""
    numbers = dataclasses.asdict(row) | {
        "seeds": " ".join(map(str, row.seeds)), "missing": " ".join(map(str, row.missing)), "note": row.note,
    }
    note = numbers.pop("note")
    return numbers | {
        "n": len(row.seeds), "verdict": row.verdict, "is_significant": row.is_significant(found.alpha),
        "is_within_margin": row.is_within(found.margin), "note": note,
    }


def _object(found: Reproduction) -> dict[str, Any]:
    """Everything; null where there is no number."""
    ranks = found.agreement.ranks
    largest, row = found.largest_smallest()
    corrected, corrected_row = found.largest_smallest(corrected=True)
    said = {
        **{name: getattr(found, name) for name in (
            "grid", "task", "metric", "baseline", "alpha", "power", "margin", "comparisons",
        )},
        "rows": [{**_line(one, found), "seeds": list(one.seeds), "missing": list(one.missing)} for one in found.rows],
        "signs": dataclasses.asdict(found.signs),
        "ranks": dataclasses.asdict(ranks) if ranks else None,
        "ranked_rows": list(found.agreement.rows), "ranked_seeds": list(found.agreement.seeds),
        "not_ranked": dict(found.agreement.left_out),
        "smallest": {"difference": largest, "row": row},
        "smallest_corrected": {"difference": corrected, "row": corrected_row},
        "incomplete": [one.row for one in found.incomplete],
    }
    return {name: _plain(value) for name, value in said.items()}


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value
