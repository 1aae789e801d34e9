"""Exported frames beside folders and each other: no cell counts twice, and no two recipes are averaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.results import load


@pytest.fixture
def written(grid: Any, tmp_path: Path) -> Path:
    """Row a of seeds 0 and 1, exported; the folder stays."""
    for seed in range(2):
        grid.done("a", seed, {"accuracy": 40.0 + seed, "CIDEr": 0.5})
    load(grid.folder).export(tmp_path / "sent.parquet")
    return tmp_path / "sent.parquet"


@pytest.mark.parametrize("first", ["folder", "file"])
def test_a_folder_and_its_own_frame_are_the_folder(grid: Any, written: Path, first: str) -> None:
    paths = [grid.folder, written] if first == "folder" else [written, grid.folder]
    both, alone = load(*paths), load(grid.folder)
    assert both.wide().equals(alone.wide()) and len(both.frame) == len(alone.frame)
    assert [order.name for order in both.orders] == ["small"] and both.conflicts == ()


def test_the_same_file_twice_is_one(written: Path) -> None:
    assert len(load(written, written).frame) == len(load(written).frame)


def test_seeds_of_a_frame_and_a_folder_add_up(grid: Any, written: Path) -> None:
    grid.cells.clear()  # another machine has the third seed alone
    grid.cells["f" * 12] = {"row": "a", "seed": 9, "reason": None}
    grid.done("a", 2, {"accuracy": 42.0, "CIDEr": 0.5})
    grid.cells.pop("f" * 12)
    grid.close()
    both = load(grid.folder, written)
    assert sorted(both.frame["seed"].unique()) == [0, 1, 2]
    assert both.wide(["accuracy"]).loc["a", "vqa acc."] == "41.0 ± 1.0"


def test_a_finished_cell_goes_before_one_that_is_not(grid: Any, written: Path) -> None:
    for folder in (grid.folder / "cells").iterdir():
        (folder / "scores.json").write_text("{")
    both = load(grid.folder, written)
    assert set(both.frame["status"]) == {"done"} and len(both.frame) == len(load(written).frame)


def test_other_scores_of_one_cell_are_named(another: Callable[..., Any], written: Path) -> None:
    other = another("small", "there")
    for seed in range(2):
        other.done("a", seed, {"accuracy": 50.0 + seed, "CIDEr": 0.5})
    both = load(other.folder, written)
    assert both.wide(["accuracy"]).loc["a", "vqa acc."] == "50.5 ± 0.7"
    assert both.conflicts == tuple(
        f"row 'a', seed {seed}: other scores before than in {written} "
        f"(vqa accuracy {50 + seed}, {40 + seed}); the former are taken" for seed in range(2)
    )


def test_other_settings_are_kept_apart(another: Callable[..., Any], written: Path) -> None:
    other = another("small", "there")
    for seed in range(2):
        other.done("a", seed, {"accuracy": 50.0, "CIDEr": 0.5}, settings={"objective": "contrastive"})
    both = load(other.folder, written)
    assert [order.name for order in both.orders] == ["small", f"small ({written})"]
    assert both.wide(["accuracy"])["vqa acc."].tolist()[:2] == ["50.0 ± 0.0", "40.5 ± 0.7"]
    assert both.conflicts == (f"grid 'small': row a with other settings in {written}, so it is kept apart",)
    assert set(both.floors()["grid"]) == {"small", f"small ({written})"}
