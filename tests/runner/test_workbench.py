"""What a cell works with is opened when it is asked for, once, and for a purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlpbench.data.errors import TestSplitRefused
from vlpbench.data.folders import cache_folder
from vlpbench.device import Device
from vlpbench.runner.trials import trial_of
from vlpbench.runner.workbench import Workbench


@pytest.fixture
def bench(ran: Any) -> Workbench:
    """Of the row `words`."""
    return Workbench(ran.cell("words"), ran.registry(), Device("cpu"))


def test_a_split_is_opened_once_for_each_purpose(bench: Workbench) -> None:
    one = bench.split("digits", "train", "train")
    assert bench.split("digits", "train", "train") is one
    grey = bench.split("digits", "train", "train", blind=True)
    assert (grey.pixels == grey.pixels.flat[0]).all() and not (one.pixels == one.pixels.flat[0]).all()


def test_the_test_split_is_for_evaluation_alone(bench: Workbench) -> None:
    trial = trial_of(bench, "vqa")
    assert trial.open_split("test", "evaluate").name == "test"
    for name, purpose in (("test", "train"), ("test", "select"), ("train", "select")):
        with pytest.raises(TestSplitRefused):
            trial.open_split(name, purpose)  # type: ignore[arg-type]


def test_a_tokenizer_is_made_once_and_mended(ran: Any, bench: Workbench) -> None:
    folder = cache_folder() / "tokenizers"
    first = bench.tokenizer

    def another() -> Workbench:
        return Workbench(ran.cell("words"), ran.registry(), Device("cpu"))

    assert another().tokenizer.digest == first.digest
    equal = [one for one in folder.glob("*.json") if first.digest in one.read_text()]  # other grids may have it, too
    whole = equal[0].read_bytes()
    for path in equal:
        path.write_bytes(whole[:100])
    assert another().tokenizer.digest == first.digest
    assert whole in [path.read_bytes() for path in equal]


def test_a_trial_has_what_its_cell_says(bench: Workbench) -> None:
    trial = trial_of(bench, "vqa")
    assert (trial.protocol.samples, trial.protocol.batch) == (16, 8)
    assert trial.settings is bench.settings and trial.tokenizer is bench.tokenizer and trial.visible == "all"
    assert trial.blueprint.seed == bench.settings.seed and trial.blueprint.vocabulary == bench.tokenizer.vocabulary


def test_sums_of_objectives(ran: Any, written: Any, tmp_path: Path) -> None:
    file = written({"sum": 'objective = "2*contrastive + 0.5*language-model"'})
    grid = type(ran)(file, tmp_path)
    bench = Workbench(grid.plan().cells[0], grid.registry(), Device("cpu"))
    assert {plan.objective.name: plan.weight for plan in bench.terms} == {"contrastive": 2.0, "language-model": 0.5}
    assert bench.needs == {"image_vector", "text_vector", "context", "decode"}
    assert bench.trains == {"vectors", "decode"}
    assert bench.visible == "causal"


def test_of_objectives_that_see_differently_tasks_see_the_most(ran: Any, written: Any, tmp_path: Path) -> None:
    file = written({"sum": 'objective = "language-model + prefix-lm"', "alone": 'objective = "language-model"'})
    grid = type(ran)(file, tmp_path)
    seen = {cell.row: Workbench(cell, grid.registry(), Device("cpu")).visible for cell in grid.plan().cells}
    assert (seen["sum"], seen["alone"]) == ("all", "causal")


def test_what_is_cropped_is_stored_larger(ran: Any, written: Any, tmp_path: Path) -> None:
    grid = type(ran)(written({"words": 'objective = "prefix-lm"'}), tmp_path)
    cell = grid.plan("image.crop=0.5", "image.size=28").cells[0]
    bench = Workbench(cell, grid.registry(), Device("cpu"))
    assert bench.split("digits", "test", "evaluate").pixels.shape[1:] == (32, 32, 3)
    assert trial_of(bench, "vqa").pictures(bench.split("digits", "test", "evaluate"), [0]).shape == (1, 3, 28, 28)
