"""What a study took as text: Markdown to read and paste, CSV a row, JSON with everything."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from math import isnan
from typing import Any, Literal

from vlpbench.results.compute.model import Compute, RowCost
from vlpbench.results.compute.wording import machine_text, scaled, time_text

__all__ = ["compute_text"]


def compute_text(found: Compute, form: Literal["md", "csv", "json"] = "md") -> str:
    """All of it as "md" or "json"; as "csv" one line a row. No newline at the end."""
    writers = {"md": _markdown, "csv": _csv, "json": _json}
    return writers[form](found)


def _markdown(found: Compute) -> str:
    lines = [f"- device: {machine_text(one)}" for one in found.machines]
    states = ", ".join(f"{one.cells:,} {one.state}" for one in found.states)
    lines.append(f"- cells: {states or 'none'}")
    part = f", of them {time_text(found.unfinished_hours)} without a result so far" if found.unfinished_hours else ""
    lines.append(f"- time in all: {time_text(found.hours)}{part}; {scaled(found.flops, 'FLOPs')} of finished training")
    if found.rows:
        lines += ["", *_table(_row_heads(found), [_row_cells(one, found) for one in found.rows])]
    if found.stages:
        heads = ["stage", "finished", "unfinished", "starts", "time", "time unfinished", "no time known"]
        body = [
            [one.stage, f"{one.finished:,}", f"{one.unfinished:,}", f"{one.starts:,}", time_text(one.hours),
             time_text(one.unfinished_hours), f"{one.untimed:,}"]
            for one in found.stages
        ]
        lines += ["", *_table(heads, body)]
    return "\n".join([*lines, "", *(f"- {note}" for note in found.notes)])


def _labels(found: Compute) -> list[str]:
    return list(dict.fromkeys(label for row in found.rows for label in row.stages))


def _row_heads(found: Compute) -> list[str]:
    return ["row", "cells", "time a cell", "least to most", *_labels(found), "parameters", "FLOPs pretraining",
            "FLOPs fine-tunes", "FLOP/s", "peak memory", *(["pairs/s", "TFLOP/s of steps"] if _is_timed(found) else [])]


def _is_timed(found: Compute) -> bool:
    """Whether any record says how fast its pretraining's steps were."""
    return any(not isnan(row.pairs_per_second) for row in found.rows)


def _row_cells(row: RowCost, found: Compute) -> list[str]:
    many = len({one.grid for one in found.rows}) > 1
    spread = f"{time_text(row.least)} to {time_text(row.most)}" if row.timed > 1 else "–"
    stages = [time_text(row.stages[label]) if label in row.stages else "–" for label in _labels(found)]
    return [
        f"{row.grid}: {row.row}" if many else row.row,
        f"{row.cells}" if row.timed == row.cells else f"{row.cells} ({row.timed} timed)",
        time_text(row.hours), spread, *stages, scaled(row.parameters), scaled(row.pretrain_flops),
        scaled(row.fine_tune_flops), scaled(row.flops_per_second),
        f"{row.peak_bytes / 2**30:.2f} GiB" if row.peak_bytes else "–",
        *([_rate(row.pairs_per_second), _rate(row.tflops)] if _is_timed(found) else []),
    ]


def _rate(value: float) -> str:
    return "–" if isnan(value) else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; a bar inside a text is escaped."""
    safe = [[text.replace("|", "\\|") for text in line] for line in [heads, *lines]]
    return [f"| {' | '.join(line)} |" for line in [safe[0], ["---", *["---:"] * (len(heads) - 1)], *safe[1:]]]


def _csv(found: Compute) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    labels = _labels(found)
    writer.writerow([
        "grid", "row", "cells", "timed", "hours", "least_hours", "most_hours", *(f"hours_{label}" for label in labels),
        "parameters", "pretrain_flops", "fine_tune_flops", "flops_per_second", "peak_bytes",
        "pairs_per_second", "tflops",
    ])
    for row in found.rows:
        numbers = [
            row.hours, row.least, row.most, *(row.stages.get(label) for label in labels), row.parameters,
            row.pretrain_flops, row.fine_tune_flops, row.flops_per_second, row.peak_bytes or None,
            row.pairs_per_second, row.tflops,
        ]
        writer.writerow([row.grid, row.row, row.cells, row.timed, *map(_known, numbers)])
    return out.getvalue().rstrip("\n")


def _json(found: Compute) -> str:
    return json.dumps(_plain(asdict(found)), indent=1, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """The same with null for NaN."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return _known(value)


def _known(value: Any) -> Any:
    """None for NaN."""
    return None if isinstance(value, float) and isnan(value) else value
