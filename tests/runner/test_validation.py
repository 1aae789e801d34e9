"""Looking at the validation split adds rows to the curve and changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vlpbench.device import Device
from vlpbench.grid import cells, open_grid
from vlpbench.runner.pretraining import pretrain
from vlpbench.runner.sharing import Sharing
from vlpbench.runner.workbench import Workbench, opened_here
from vlpbench.training.pace import PACE, Pace, Stopped

GRID = """
floors = false
tasks = ["retrieval@zero-shot"]
[base]
objective = "contrastive"
[data.digits]
train = 30
val = 16
test = 8
[budget]
samples = 48
batch = 8
"""


@pytest.fixture
def pretrained(tmp_path: Path):
    (tmp_path / "grid.toml").write_text(GRID)

    def run(*overrides: str, pace: Pace = PACE, results: str = "results"):
        read, registry = open_grid(str(tmp_path / "grid.toml"), overrides)
        bench = Workbench(cells(read, registry, opened_here)[0], registry, Device("cpu"), pace)
        return pretrain(bench, Sharing(tmp_path / results))

    return run


def test_looks_are_rows_of_the_curve_and_change_no_weight(pretrained) -> None:
    blind, looking = pretrained(), pretrained("budget.looks=3")
    assert all(torch.equal(value, looking.weights[name]) for name, value in blind.weights.items())
    looks = [row for row in looking.told["curve"] if "validation/loss" in row]
    assert [row["step"] for row in looks] == [1, 3, 5]
    assert all(row["validation/loss"] > 0 and "validation/contrastive/temperature" in row for row in looks)
    assert [row for row in looking.told["curve"] if "loss" in row] == blind.told["curve"]
    assert not any("validation/loss" in row for row in blind.told["curve"])


@pytest.mark.parametrize("stem", ["conv3/dual/nano", "linear/encoder-decoder/nano"])
def test_cut_off_between_looks_it_looks_as_if_undisturbed(pretrained, stem: str) -> None:
    """Six steps, looked at after the second, fourth and sixth; stops fall on looks and between them."""
    overrides = f"backbone={stem}", "budget.looks=3"
    whole = pretrained(*overrides)
    for after in (1, 2, 1, 1):
        left = iter([False] * (after - 1) + [True])
        with pytest.raises(Stopped):
            pretrained(*overrides, pace=Pace(stop=lambda left=left: next(left)), results="often")
    again = pretrained(*overrides, results="often")
    assert again.told == whole.told and again.weights.keys() == whole.weights.keys()
    assert all(torch.equal(value, again.weights[name]) for name, value in whole.weights.items())


def test_micro_batches_change_rounding_alone(pretrained) -> None:
    stem = "backbone=linear/encoder-decoder/nano"
    whole, cut = pretrained(stem), pretrained(stem, "budget.micro_batch=3")
    for name, value in whole.weights.items():
        torch.testing.assert_close(cut.weights[name], value, rtol=1e-2, atol=2e-3)  # AdamW blows rounding up
    assert whole.told["curve"][0]["loss"] == pytest.approx(cut.told["curve"][0]["loss"], rel=1e-5)
