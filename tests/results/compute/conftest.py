"""Stages with known times, beside the cells of a results folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from vlpbench.files import write_json
from vlpbench.records import CellFolder, StageFolder


@pytest.fixture
def stage() -> Callable[..., StageFolder]:
    """stage(folder, "pretrain", {...}, seconds=3.0, starts=2, told=None): None leaves it unfinished."""

    def write(
        folder: Path, kind: str, decided_by: Mapping[str, Any], seconds: float | None = None, starts: int = 1,
        told: Mapping[str, Any] | None = None, finished: bool = True,
    ) -> StageFolder:
        one = StageFolder.of(folder, kind, decided_by)
        for _ in range(starts):
            one.begin()
        if finished:
            one.close(told or {})
        if seconds is not None:
            one.note({"seconds": seconds})
        return one

    return write


@pytest.fixture
def linked() -> Callable[..., None]:
    """linked(folder of the grid, row, pretraining, {task: fine-tune}): the cells of a row name their stages."""

    def write(folder: Path, row: str, pretraining: StageFolder | None, fine_tunes: Mapping[str, StageFolder]) -> None:
        for path in (folder / "cells").iterdir():
            cell = CellFolder(path)
            if cell.read("settings.json")["row"] == row:
                if pretraining is not None:
                    write_json(path / "pretraining.json", {"stage": pretraining.path.name})
                write_json(path / "fine_tunes.json", {task: one.path.name for task, one in fine_tunes.items()})

    return write


@pytest.fixture
def timed() -> Callable[..., None]:
    """timed(folder of the grid, row, {stage: seconds}, environment): what the row's cells say of their last start."""

    def write(
        folder: Path, row: str, seconds: Mapping[str, float], environment: Mapping[str, Any] | None = None
    ) -> None:
        for path in (folder / "cells").iterdir():
            if CellFolder(path).read("settings.json")["row"] == row:
                timing = {"seconds": dict(seconds), "total": sum(seconds.values()), "peak_bytes": 2**30}
                write_json(path / "timing.json", timing)
                if environment is not None:
                    write_json(path / "environment.json", dict(environment))

    return write
