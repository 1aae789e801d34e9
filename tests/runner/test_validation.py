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

    def run(*overrides: str):
        read, registry = open_grid(str(tmp_path / "grid.toml"), overrides)
        return pretrain(Workbench(cells(read, registry, opened_here)[0], registry, Device("cpu")), Sharing(tmp_path))

    return run


def test_looks_are_rows_of_the_curve_and_change_no_weight(pretrained) -> None:
    blind, looking = pretrained(), pretrained("budget.looks=3")
    assert all(torch.equal(value, looking.weights[name]) for name, value in blind.weights.items())
    looks = [row for row in looking.told["curve"] if "validation/loss" in row]
    assert [row["step"] for row in looks] == [1, 3, 5]
    assert all(row["validation/loss"] > 0 and "validation/contrastive/temperature" in row for row in looks)
    assert [row for row in looking.told["curve"] if "loss" in row] == blind.told["curve"]
    assert not any("validation/loss" in row for row in blind.told["curve"])


def test_micro_batches_change_rounding_alone(pretrained) -> None:
    stem = "backbone=linear/encoder-decoder/nano"
    whole, cut = pretrained(stem), pretrained(stem, "budget.micro_batch=3")
    for name, value in whole.weights.items():
        torch.testing.assert_close(cut.weights[name], value, rtol=1e-2, atol=2e-3)  # AdamW blows rounding up
    assert whole.told["curve"][0]["loss"] == pytest.approx(cut.told["curve"][0]["loss"], rel=1e-5)
