"""Where a cell's fine-tunes are kept, so that they can be asked again, taken along, and shared by cells."""

from __future__ import annotations

from pathlib import Path

from vlpbench.config.identity import settings_to_plain
from vlpbench.config.measured import without_extras
from vlpbench.config.task_name import parse_task
from vlpbench.grid import Cell
from vlpbench.records import StageFolder
from vlpbench.runner.pretraining import DECIDING, learning_code, learning_versions

__all__ = ["fine_tune_of"]

_ASKING = ("beams", "length_penalty", "no_repeat", "top_p", "metrics", "shortlist", "rule", "folds", "same_texts",
           "templates")
"""Settings of a protocol that decide how a model is asked, not what it learns."""


def fine_tune_of(cell: Cell, task: str, results: Path) -> StageFolder:
    """The stage of one task: decided by all that decides the pretraining, and by the task's protocol.

    How the model is asked decides its weights only where these are chosen on the validation split.
    """
    plain = settings_to_plain(without_extras(cell.settings))
    protocol = dict(plain["protocol"][task])
    if cell.settings.select == "last":
        protocol = {name: value for name, value in protocol.items() if name not in _ASKING}
    beside = () if cell.settings.select == "validation" else ("metrics",)
    probed = ("split",) if parse_task(task).protocol == "probe" else ()  # what is not scored on may be fitted to
    decided_by = {
        "settings": {name: plain[name] for name in (*DECIDING, "blind", "select", *probed)},
        "task": task,
        "protocol": protocol,
        "versions": dict(cell.versions) if cell.settings.select == "validation" else learning_versions(cell),
        "data": dict(cell.fingerprints),
    }
    return StageFolder.of(results, "fine-tune", decided_by, learning_code(cell, *beside))
