"""Which cells share a pretraining: those that all of its decisions are equal for, and no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vlpbench.device import Device
from vlpbench.runner.pretraining import pretrain, stage_of
from vlpbench.runner.sharing import Sharing
from vlpbench.runner.workbench import Workbench

WORDS = {"words": 'objective = "prefix-lm"'}


@pytest.fixture(scope="module")
def grid(ran: Any, written: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One row and its blind twin, not run."""
    return type(ran)(written(WORDS), tmp_path_factory.mktemp("stages"))


@pytest.fixture
def stage(grid: Any) -> Callable[..., Any]:
    """(overrides) -> the stage of the first cell."""
    return lambda *overrides: stage_of(grid.plan(*overrides).cells[0], grid.results)


def test_a_row_and_its_blind_twin_share_it(grid: Any) -> None:
    words, blind = grid.plan().cells
    assert blind.settings.blind and not words.settings.blind and words.id != blind.id
    assert stage_of(words, grid.results) == stage_of(blind, grid.results)


@pytest.mark.parametrize(
    "override",
    ["tasks=['retrieval']", "protocol.vqa.lr=0.5", "protocol.captioning.samples=8", "split=val", "select=validation"],
)
def test_what_comes_after_does_not_decide_it(stage: Callable[..., Any], override: str) -> None:
    assert stage(override) == stage()


@pytest.mark.parametrize(
    "override",
    [
        "seeds=[1]", "optim.lr=0.5", "optim.clip=0.5", "budget.samples=48", "budget.batch=4", "text.length=17",
        "text.lowercase=false", "image.size=64", "image.crop=0.5", "data.digits.noise=0", "base.on_bad_sample=skip",
        "base.backbone=conv2/encoder-decoder/nano", "objective.prefix-lm.shortest=2",
    ],
)
def test_what_it_sees_decides_it(stage: Callable[..., Any], override: str) -> None:
    override = override.removeprefix("base.")
    assert stage(override) != stage()


def test_nothing_to_pretrain_has_no_stage(ran: Any) -> None:
    cell = ran.cell("plain")
    assert stage_of(cell, ran.results) is None
    bench = Workbench(cell, ran.registry(), Device("cpu"))
    found = pretrain(bench, Sharing(ran.results))
    assert found.weights == {} and found.told["flops"] == 0 and found.told["parameters"] > 0


def test_what_was_left_is_what_is_read(ran: Any, tmp_path: Path) -> None:
    """The weights of the run's own stage, those of a fresh one, and those read back: the same to the bit."""
    cell = ran.cell("words")
    heard: list[tuple[int, int]] = []
    made = [
        pretrain(
            Workbench(cell, ran.registry(), Device("cpu")), Sharing(results),
            lambda done, of, _: heard.append((done, of)),
        )
        for results in (ran.results / "mixed", tmp_path, tmp_path)
    ]
    assert heard == [(step, 5) for step in range(1, 6)], "only the second one trains"
    for other in made[1:]:
        assert other.told == made[0].told
        assert all(torch.equal(value, other.weights[name]) for name, value in made[0].weights.items())
    assert made[0].weights and not any(name.startswith("terms.") for name in made[0].weights)
    assert made[0].told["samples"] == 40 and made[0].told["flops"] > 0 and made[0].told["image_tokens"] == 16
