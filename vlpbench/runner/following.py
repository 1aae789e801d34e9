"""What the other processes of a cell do: each training, and each prediction that is shared, beside the first one.

They build what the first has built, from the same settings, seed and files, and write nothing.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from vlpbench.config.gridfile import GridFile
from vlpbench.config.identity import settings_from_plain
from vlpbench.contract.sealed import sealed
from vlpbench.device import prepare_process
from vlpbench.grid import Cell, cells
from vlpbench.registry import Registry
from vlpbench.runner.pretraining import left_by, lesson_of, stage_of
from vlpbench.runner.ranks import Crew
from vlpbench.runner.stopping import Stopping
from vlpbench.runner.trials import trial_of
from vlpbench.runner.workbench import Workbench, opened_here
from vlpbench.tasks.suite import ready_for
from vlpbench.training.loop import train_lesson
from vlpbench.training.pace import Pace, Stopped

__all__ = ["Opening", "follow"]


Opening = Callable[[], tuple[GridFile, Registry]]
"""Reads the grid and loads its components."""


def follow(crew: Crew, pace: Pace, results: Path, opening: Opening) -> None:
    """Answer the first process until it is over. A failure is told to it and printed, and the next order awaited.

    The grid, whose results are in a folder of `results`, is opened at the first order: by then the first process has
    read it and prepared its data.
    """
    prepare_process(crew.device)
    with Stopping() as stop:
        pace = replace(pace, stop=stop, joined=crew.joining)

        @cache
        def opened() -> tuple[Path, Registry, Sequence[Cell]]:
            grid, registry = opening()
            return results / grid.name, registry, cells(grid, registry, opened_here)

        try:
            with stop.patiently():
                while (order := crew.order()) is not None:
                    _answer(order, crew, pace, opened)
        except Stopped:  # the first process has been asked, too, or agreed in the training
            return


def _answer(
    order: Mapping[str, Any], crew: Crew, pace: Pace, opened: Callable[[], tuple[Path, Registry, Sequence[Cell]]]
) -> None:
    try:
        with crew.answering():
            results, registry, found = opened()
            (cell,) = (one for one in found if one.id == order["cell"])
            settings = settings_from_plain(order["settings"])
            cell = replace(cell, settings=settings, seed=settings.seed)
            _work(order["stage"], Workbench(cell, registry, crew.device, pace), results)
    except Stopped:  # agreed on: the first process has kept a checkpoint
        return
    except Exception as error:  # noqa: BLE001 (the first process records it; this one may be needed for the next cell)
        why = crew.explained(error)
        lines = traceback.format_exc().splitlines() if why is error else [str(why)]
        said = "".join(f"rank {crew.rank}: {line}\n" for line in lines)
        print(said, file=sys.stderr, end="", flush=True)  # noqa: T201


def _work(stage: str, bench: Workbench, results: Path) -> None:
    """The part of a process in one stage."""
    kept = stage_of(bench.cell, results)
    if stage == "pretrain":
        assert kept is not None
        lesson = lesson_of(bench, kept)
        with sealed("pretraining"):  # checkpoints are the first process's alone
            train_lesson(replace(lesson, course=replace(lesson.course, folder=None)), bench.device)
        return
    ready_for(trial_of(bench, stage.partition(": ")[0], left_by(kept, bench)))


