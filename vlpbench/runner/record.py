"""What a cell leaves behind, made of what its tasks came to: the contents of its record's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vlpbench.config.settings import Protocol
from vlpbench.config.task_name import parse_task
from vlpbench.grid import Cell
from vlpbench.metrics import VERSION
from vlpbench.tasks.suite import Outcome

__all__ = ["cost_of", "curve_of", "rows_of", "scores_of"]


def scores_of(cell: Cell, outcomes: Mapping[str, Outcome | str]) -> dict[str, Any]:
    """The content of `scores.json` for each task: scored, or the reason why not."""
    found: dict[str, Any] = {}
    for task, outcome in outcomes.items():
        protocol = cell.settings.protocol.get(task, Protocol())
        if isinstance(outcome, str):
            found[task] = {"reason": outcome}
            continue
        scores = outcome.scores
        found[task] = {
            "protocol": parse_task(task).protocol,
            "head": outcome.head,
            "data": protocol.data,
            "split": cell.settings.split,
            "select": cell.settings.select,
            "examples": scores.examples,
            "fine_tune": {"samples": outcome.training.samples, "flops": outcome.training.flops},
            **({"probe": dict(outcome.told)} if outcome.told else {}),
            "values": scores.values,
            "reasons": scores.reasons,
            "floors": scores.floors,
            "ceilings": scores.ceilings,
            "told": scores.told,
            **({"extras": scores.extras} if scores.extras else {}),
        }
    return {"tasks": found, "metrics": VERSION}


def cost_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """What pretraining took, of all that it told; pictures where they are fewer than samples.

    Batch norm then saw fewer of them, too.
    """
    said = ("parameters", "image_tokens", "samples", "targets", "flops")
    return {key: told[key] for key in (*said, *(["images"] if "images" in told else []))}


def curve_of(pretraining: Sequence[Mapping[str, Any]], outcomes: Mapping[str, Outcome | str]) -> list[dict[str, Any]]:
    """The content of `curve.jsonl`: pretraining's rows, then those of each fine-tune."""
    tuned = [
        {"stage": task, **row}
        for task, outcome in outcomes.items()
        if isinstance(outcome, Outcome)
        for row in outcome.training.curve
    ]
    return [*map(dict, pretraining), *tuned]


def rows_of(outcomes: Mapping[str, Outcome | str]) -> dict[str, list[dict[str, Any]]]:
    """Every prediction by task."""
    return {task: outcome.rows for task, outcome in outcomes.items() if isinstance(outcome, Outcome)}
