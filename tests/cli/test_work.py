"""What a run has to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vlpbench.cli import work
from vlpbench.cli.work import Part, Work, asking, work_of
from vlpbench.config.settings import CellSettings, Protocol, Tune
from vlpbench.grid import open_grid
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.plan import Plan, plan_grid
from vlpbench.runner.pretraining import stage_of

GRID = """
schema = 1
name = "small"
seeds = [0]
tasks = ["vqa", "retrieval"]
[base]
objective = "contrastive"
backbone = "conv2/dual/nano"
data = "shapes"
[[rows]]
name = "plain"
[[rows]]
name = "blind"
blind = true
[[rows]]
name = "none"
objective = "none"
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "small.toml").write_text(GRID)
    grid, registry = open_grid(str(tmp_path / "small.toml"), (), (), ())
    return plan_grid(grid, registry, tmp_path / "results")


def test_cells_share_a_pretraining_and_no_asking(plan: Plan) -> None:
    found = {cell.row: work_of(plan, [cell.id for cell in plan.cells]).parts[cell.id] for cell in plan.cells}
    plain, blind, none = (found[row] for row in ("plain", "blind", "none"))
    assert [part.stage for part in plain] == ["pretrain", "vqa", "vqa: predict", "retrieval", "retrieval: predict"]
    assert [one.key == other.key for one, other in zip(plain, blind, strict=True)] == [True, False, False, False, False]
    assert [part.stage for part in none] == [part.stage for part in plain[1:]]
    assert plain[0].units == plan.cells[0].settings.budget.samples
    assert len({part.shape for part in (plain[1], blind[1], none[1])}) == 1  # one model: one pace


def test_what_is_there_or_not_asked_for_is_no_work(plan: Plan) -> None:
    cell = plan.cells[0]
    for stage in (stage_of(cell, plan.results), fine_tune_of(cell, "vqa", plan.results)):
        assert stage is not None
        stage.path.mkdir(parents=True)
        stage.close({})
    found = work_of(plan, [cell.id])
    assert [*found.parts] == [cell.id]
    assert [part.stage for part in found.parts[cell.id]] == ["vqa: predict", "retrieval", "retrieval: predict"]


def test_tries_are_work_under_the_names_that_their_progress_has() -> None:
    tune = Tune({"optim.lr": (1e-3, 2e-3)}, "vqa", samples=50)
    settings = CellSettings(tune=tune, protocol={"vqa": Protocol(data="digits", samples=100)})
    stages = {"pretrain": 50.0, "vqa": 100.0, "vqa: predict": work.ASKED}
    assert work._tries(settings) == {f"try {n}/2: {stage}": much for n in (1, 2) for stage, much in stages.items()}
    assert [*work._tries(replace(settings, objective="none"))][:2] == ["try 1/2: vqa", "try 1/2: vqa: predict"]


def test_an_estimate_takes_the_place_of_samples() -> None:
    samples = Work.of({"a": {"pretrain": 1000.0, "vqa": 100.0}, "b": {"vqa": 100.0}})
    timed = samples.timed({"a": {"pretrain": 500.0}, "other": {"vqa": 3.0}})
    assert timed.in_seconds and timed.parts["a"][0].units == 500
    assert timed.parts["b"][0].units == pytest.approx(50)  # at the mean of what is known
    assert samples.timed({}) is samples


def test_asking_is_work_without_a_word() -> None:
    assert Part(asking("vqa"), 1.0, "vqa").silent
    assert not Part("vqa", 1.0, "vqa").silent
