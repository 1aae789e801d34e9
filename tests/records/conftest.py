"""A cell's record, as the runner leaves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.records import CellFolder

FACTS = {"timing": {"total": 1.5}, "environment": {"device": "cpu"}}


@pytest.fixture
def folder(tmp_path: Path) -> CellFolder:
    """A folder that does not exist yet."""
    return CellFolder.of(tmp_path / "demo", "0123456789ab", "prefix-lm, blind", "s0")


@pytest.fixture
def finish(folder: CellFolder) -> Callable[..., CellFolder]:
    """Write a whole record."""

    def write(**scores: Any) -> CellFolder:
        folder.begin({"id": "0123456789ab"})
        rows = [{"question_id": 1, "answers": ["a", "b"], "prediction": "a", "probability": 0.5}]
        folder.finish({"tasks": {}, **scores}, [{"stage": "pretrain", "step": 0, "loss": 2.5}], {"vqa": rows}, FACTS)
        return folder

    return write
