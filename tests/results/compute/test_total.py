"""What a study took: shared stages once, unfinished work counted and told apart, unknown times said and never 0."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from vlpbench.records import StageFolder
from vlpbench.results import load
from vlpbench.results.compute import compute

HOUR = 3600.0


def one_row(
    grid: Any, stage: Callable[..., StageFolder], linked: Callable[..., None], timed: Callable[..., None]
) -> None:
    """A row of one cell: 2 h of pretraining, 1 h of a task, of which the fine-tune is half."""
    grid.tasks = ("vqa",)
    grid.done("a", 0, {"accuracy": 50.0})
    pretrained = stage(grid.folder, "pretrain", {"row": "a"}, 2 * HOUR)
    learnt = stage(grid.folder, "fine-tune", {"row": "a"}, 0.5 * HOUR)
    stage(grid.folder, "predict", {"learnt": learnt.path.name}, 1 * HOUR)
    linked(grid.folder, "a", pretrained, {"vqa": learnt})
    timed(grid.folder, "a", {"pretrain": 2 * HOUR, "vqa": HOUR})


def test_what_is_inside_another_stage_counts_once(grid: Any, stage: Any, linked: Any, timed: Any) -> None:
    one_row(grid, stage, linked, timed)
    found = compute(load(grid.folder))
    assert found.hours == pytest.approx(3.0)
    assert {one.stage: one.hours for one in found.stages} == pytest.approx(
        {"pretrain": 2.0, "fine-tune": 0.5, "predict": 0.5}
    )
    assert found.unfinished_hours == 0


def test_a_shared_stage_is_in_every_cell_and_once_in_all(grid: Any, stage: Any, linked: Any, timed: Any) -> None:
    one_row(grid, stage, linked, timed)
    grid.done("b", 0, {"accuracy": 50.0})
    pretrained = StageFolder.of(grid.folder, "pretrain", {"row": "a"})
    learnt = stage(grid.folder, "fine-tune", {"row": "b"}, 0.5 * HOUR)
    stage(grid.folder, "predict", {"learnt": learnt.path.name}, 1 * HOUR)
    linked(grid.folder, "b", pretrained, {"vqa": learnt})
    timed(grid.folder, "b", {"pretrain": 0.1, "vqa": HOUR})
    found = compute(load(grid.folder))
    assert found.hours == pytest.approx(4.0)
    assert [(one.row, round(one.hours, 6)) for one in found.rows] == [("a", 3.0), ("b", 3.0)]
    assert found.rows[0].flops_per_second == pytest.approx(3e12 / (2 * HOUR))
    assert found.flops == 3e12 + 9 + 9, "one pretraining, two fine-tunes"


def test_predictions_that_were_asked_later_stand_beside_their_fine_tune(
    grid: Any, stage: Any, linked: Any, timed: Any
) -> None:
    one_row(grid, stage, linked, timed)
    learnt = StageFolder.of(grid.folder, "fine-tune", {"row": "a"})
    stage(grid.folder, "predict", {"learnt": learnt.path.name, "asked": {"beams": 5}}, 0.25 * HOUR)
    assert compute(load(grid.folder)).hours == pytest.approx(3.25)


def test_tries_lie_inside_their_tuning(grid: Any, stage: Any) -> None:
    grid.done("a", 0, {"accuracy": 50.0})
    settings = {"optim": {"lr": 0.1}, "budget": {"samples": 100}, "seed": 0}
    told = {"samples": 50, "tried": [{"settings": {"optim.lr": lr}} for lr in (0.1, 0.2)]}
    for lr in (0.1, 0.2):
        stage(grid.folder, "pretrain", {"settings": {**settings, "optim": {"lr": lr}, "budget": {"samples": 50}}}, HOUR)
    stage(grid.folder, "pretrain", {"settings": settings}, 5 * HOUR)
    stage(grid.folder, "tune", {"settings": {**settings, "tune": {"tries": {}}}}, 2.5 * HOUR, told=told)
    found = compute(load(grid.folder))
    assert {one.stage: one.hours for one in found.stages} == pytest.approx({"tune": 0.5, "pretrain": 7.0})


def test_unfinished_work_is_counted_and_told_apart(grid: Any, stage: Any, linked: Any, timed: Any) -> None:
    one_row(grid, stage, linked, timed)
    grid.failed("b", 0, "the loss is NaN")
    timed(grid.folder, "b", {"pretrain": 0.4 * HOUR})
    stage(grid.folder, "pretrain", {"row": "b"}, 0.4 * HOUR, starts=2, finished=False)
    stage(grid.folder, "fine-tune", {"row": "c"}, None, finished=False)
    found = compute(load(grid.folder))
    assert (found.hours, found.unfinished_hours) == pytest.approx((3.4, 0.4))
    by_kind = {one.stage: one for one in found.stages}
    assert (by_kind["pretrain"].unfinished, by_kind["pretrain"].starts) == (1, 3)
    assert by_kind["fine-tune"].untimed == 1
    states = {one.state: one for one in found.states}
    assert (states["failed"].cells, states["failed"].tries, states["failed"].hours) == (1, 1, pytest.approx(0.4))
    said = "\n".join(found.notes)
    assert "1 cell failed; of 1 the time of the last start is known (24.0 min)" in said
    assert "1 stage that was begun has no time at all" in said
    assert "a second or later one" in said


def test_without_stages_the_cells_clocks_count(grid: Any, timed: Any) -> None:
    grid.done("a", 0, {"accuracy": 50.0})
    grid.done("a", 1, {"accuracy": 51.0})
    grid.failed("b", 0, "out of memory")
    timed(grid.folder, "a", {"pretrain": HOUR, "vqa": HOUR})
    timed(grid.folder, "b", {"pretrain": 0.5 * HOUR})
    found = compute(load(grid.folder))
    assert (found.hours, found.unfinished_hours) == pytest.approx((4.5, 0.5))
    assert found.stages == ()
    assert any("stages left no times here" in note for note in found.notes)


def test_a_lost_time_is_said_and_not_zero(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 50.0})
    for name in ("timing.json", "environment.json"):
        next((grid.folder / "cells").iterdir()).joinpath(name).unlink()
    found = compute(load(grid.folder))
    assert isnan(found.hours)
    assert isnan(found.rows[0].hours)
    assert (found.rows[0].cells, found.rows[0].timed) == (1, 0)
    assert "no time is recorded" in found.notes[0]
    assert any("no record tells of the machine" in note for note in found.notes)


def test_a_time_that_somebody_edited_is_not_believed(grid: Any) -> None:
    cell = grid.done("a", 0, {"accuracy": 50.0})
    path = cell.path / "timing.json"
    path.write_text(path.read_text(encoding="utf-8").replace("12.0", "1.0"), encoding="utf-8")
    assert isnan(compute(load(grid.folder)).hours)


def test_a_folder_that_was_copied_counts_once(
    grid: Any, stage: Any, linked: Any, timed: Any, tmp_path: Path
) -> None:
    one_row(grid, stage, linked, timed)
    copy = shutil.copytree(grid.folder, tmp_path / "copy")
    assert compute(load(grid.folder, copy)).hours == pytest.approx(3.0)


def test_machines_are_told_apart(grid: Any, timed: Any) -> None:
    for row, host, device in (("a", "1" * 12, "H100"), ("b", "2" * 12, "H100"), ("c", "1" * 12, "cpu")):
        grid.done(row, 0, {"accuracy": 50.0})
        timed(grid.folder, row, {"vqa": 1.0}, {"device": device, "host": host, "gpu_memory": "80 GiB", "torch": "2.9"})
    found = compute(load(grid.folder)).machines
    assert [(one.device, one.cells, one.hosts) for one in found] == [("H100", 2, 2), ("cpu", 1, 1)]
    assert (found[0].gpu_memory, found[0].software) == ("80 GiB", "torch 2.9")


def test_every_cell_has_one_state(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 50.0})
    grid.failed("a", 1, "x")
    grid.plan("a", 2)
    grid.plan("b", 0, reason="n/a: needs decode")
    states = {one.state: one.cells for one in compute(load(grid.folder)).states}
    assert states == {"done": 1, "failed": 1, "pending": 1, "n/a": 1}


def test_seeds_and_blind_cells_share_a_tuning(grid: Any, timed: Any) -> None:
    grid.tasks = ("vqa",)
    tuned = {"tuned": {"tried": [{"settings": {"optim.lr": 0.1}, "score": 1.0, "flops": 100}], "choice": {}}}
    for row, seconds in (("a", 2.0), ("a, blind", 0.0), ("b", 1.0)):
        grid.done(row, 0, {"accuracy": 1.0}, scores=tuned)
        timed(grid.folder, row, {"tune": seconds * HOUR, "vqa": HOUR})
    found = compute(load(grid.folder))
    assert {one.row: one.stages["tune"] for one in found.rows} == pytest.approx({"a": 2.0, "a, blind": 2.0, "b": 1.0})
    assert found.hours == pytest.approx(6.0)
    assert found.flops == 3e12 + 3 * 9 + 2 * 100, "one pretraining, three fine-tunes, two searches"


def test_a_failed_cell_takes_no_work_from_what_it_shares(
    grid: Any, stage: Any, linked: Any, timed: Any
) -> None:
    one_row(grid, stage, linked, timed)
    alone = compute(load(grid.folder)).flops
    grid.failed("a, blind", 0, "out of memory")
    linked(grid.folder, "a, blind", StageFolder.of(grid.folder, "pretrain", {"row": "a"}), {})
    assert compute(load(grid.folder)).flops == alone == 3e12 + 9
