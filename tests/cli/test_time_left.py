"""How long a run still takes: shares by samples, pace since the first cell started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vlpbench.cli import time_left
from vlpbench.cli.time_left import TimeLeft
from vlpbench.config.settings import CellSettings, Protocol, Tune
from vlpbench.runner.events import Event

WORK = {"a": {"pretrain": 800.0, "vqa": 100.0}, "b": {"vqa": 100.0}}


def test_nothing_is_known_before_a_cell_has_started() -> None:
    left = TimeLeft(WORK)
    assert left.share == 0 and left.seconds() is None


def test_share_goes_by_samples_and_a_new_stage_ends_the_ones_before_it() -> None:
    left = TimeLeft(WORK)
    left.heard(Event("progress", "a", "pretrain", 1, 4))
    assert left.share == pytest.approx(200 / 1000)
    left.heard(Event("progress", "a", "vqa", 1, 2))
    assert left.share == pytest.approx(850 / 1000)
    left.heard(Event("failed", "b"))
    assert left.share == pytest.approx(950 / 1000)


def test_seconds_are_the_rest_at_the_pace_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time_left.time, "monotonic", lambda: now[0])
    left = TimeLeft(WORK)
    left.heard(Event("started", "a"))
    left.heard(Event("progress", "a", "pretrain", 1, 4))
    now[0] = 130.0
    assert left.seconds() == pytest.approx(120.0)
    assert str(left) == "20% done, about 2:00 left"


def test_cells_that_are_not_part_of_the_work_change_nothing() -> None:
    left = TimeLeft(WORK)
    left.heard(Event("done", "x"))
    assert left.share == 0
    assert TimeLeft({}).share == 1.0


def test_tries_are_work_under_the_names_that_their_progress_has() -> None:
    tune = Tune({"optim.lr": (1e-3, 2e-3)}, "vqa", samples=50)
    settings = CellSettings(tune=tune, protocol={"vqa": Protocol(data="digits", samples=100)})
    found = time_left._tries(settings)
    stages = {"pretrain": 50.0, "vqa": 100 + time_left.ASKED}
    assert found == {f"try {n}/2: {stage}": work for n in (1, 2) for stage, work in stages.items()}
    assert [*time_left._tries(replace(settings, objective="none"))] == ["try 1/2: vqa", "try 2/2: vqa"]
