"""A trial is the cell's: its splits, its blindness, its weights, and the matching head as pretraining left it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from vlpbench.data.errors import TestSplitRefused
from vlpbench.device import Device
from vlpbench.grid import cells, open_grid
from vlpbench.runner.export import load_cell
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.trials import trial_of
from vlpbench.runner.workbench import Workbench, opened_here
from vlpbench.training.pace import Pace


def bench(short: Any, row: str, *overrides: str, pace: Pace | None = None) -> Workbench:
    grid, registry = open_grid(str(short.file), overrides)
    (cell,) = [cell for cell in cells(grid, registry, opened_here) if cell.row == row]
    return Workbench(cell, registry, Device("cpu"), pace or Pace())


def test_settings_and_pace_are_the_cells(short: Any) -> None:
    trial = trial_of(bench(short, "words", "protocol.vqa.lr=0.25", pace=Pace(workers=2, at_once=3)), "vqa")
    assert trial.protocol.lr == 0.25 and trial.protocol.samples == 16
    assert (trial.pace.workers, trial.pace.at_once) == (2, 3)
    assert trial.weights == {} and not trial.heads and trial.kept is None
    assert trial.visible == "all"


def test_splits_are_opened_for_a_purpose(short: Any) -> None:
    trial = trial_of(bench(short, "words"), "captioning")
    assert len(trial.open_split("test", "evaluate").samples) == 12
    with pytest.raises(TestSplitRefused):
        trial.open_split("test", "train")


def test_a_blind_cell_sees_grey(short: Any) -> None:
    seen = trial_of(bench(short, "words"), "vqa").open_split("test", "evaluate").pixels
    blank = trial_of(bench(short, "words", "blind=true"), "vqa").open_split("test", "evaluate").pixels
    assert len({bytes(picture.tobytes()) for picture in seen}) > 1
    assert len({bytes(picture.tobytes()) for picture in blank}) == 1


def test_the_matching_head_is_that_of_pretraining(short: Any) -> None:
    model = load_cell(short.run("pairs").path, "cpu")
    matcher = trial_of(model.bench, "retrieval@match@zero-shot", model.pretrained).heads["match"]
    head = matcher(model.bench.blueprint.spec)
    weights = head.state_dict()
    assert weights
    for name, value in weights.items():
        assert torch.equal(value, model.pretrained.heads[f"image-text-matching.{name}"])
    assert not trial_of(model.bench, "retrieval@match@zero-shot").heads, "nothing was pretrained"


@pytest.mark.parametrize(
    ("override", "shared"),
    [
        ("protocol.captioning.beams=3", True), ("protocol.captioning.metrics=['CIDEr']", True),
        ("protocol.vqa.lr=0.5", True), ("protocol.captioning.lr=0.5", False), ("protocol.captioning.samples=8", False),
        ("seeds=[1]", False), ("optim.lr=0.5", False), ("blind=true", False), ("select=validation", False),
        ("text.length=15", False), ("data.digits.train=41", False),
    ],
)
def test_which_cells_share_a_fine_tune(short: Any, tmp_path: Path, override: str, shared: bool) -> None:
    """How a model is asked does not decide what it learnt; all that it learnt by does."""
    one, two = bench(short, "words").cell, bench(short, "words", override).cell
    found = [fine_tune_of(cell, "captioning", tmp_path) for cell in (one, two)]
    assert (found[0] == found[1]) is shared
    assert fine_tune_of(one, "vqa", tmp_path) != found[0]


def test_where_weights_are_chosen_on_validation_the_asking_decides_them(short: Any, tmp_path: Path) -> None:
    chosen = [
        fine_tune_of(bench(short, "words", "select=validation", *more).cell, "captioning", tmp_path)
        for more in ((), ("protocol.captioning.beams=3",))
    ]
    assert chosen[0] != chosen[1]
