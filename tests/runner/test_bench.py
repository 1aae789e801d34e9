"""A bench of a small cell: every figure there, consistent with the others, and each part's time adds up."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from vlpbench.device import Device, prepare_process
from vlpbench.registry import load_registry
from vlpbench.runner.bench import Speeds, bench
from vlpbench.runner.bench_parts import STEP_PARTS, parts_of, timed_parts
from vlpbench.runner.pretraining import learner_of
from vlpbench.runner.synthetic import synthetic_bench, synthetic_loader
from vlpbench.runner.synthetic_cell import synthetic_cell
from vlpbench.runner.workbench import Workbench
from vlpbench.training.account import Account, Work
from vlpbench.training.fitting import Fitting
from vlpbench.training.stopwatch import Patience, Taking

CPU = Device("cpu")
SHORT = Patience(warm=1, least=3, most=3)


def work_of(*said: str, objective: str = "prefix-lm", backbone: str = "linear/encoder-decoder/nano") -> Workbench:
    registry = load_registry()
    return synthetic_bench(synthetic_cell(objective, backbone, registry, CPU, ["budget.batch=4", *said]), registry, CPU)


@pytest.fixture(scope="module")
def found() -> tuple[Speeds, list[str]]:
    prepare_process(CPU)
    heard: list[str] = []
    work = work_of("texts=digits-texts", "budget.texts=2")
    return bench(work, synthetic_loader(work), "made up", heard.append, SHORT), heard


def test_the_figures_agree_with_each_other(found: tuple[Speeds, list[str]]) -> None:
    told = found[0].told()
    step = told["step_seconds"]["median"]
    assert (told["pairs"], told["texts"], told["images"]) == (4, 2, 4)
    assert told["pairs_per_second"] == pytest.approx(4 / step)
    assert told["texts_per_second"] == pytest.approx(2 / step)
    assert told["fed_pairs_per_second"] == pytest.approx(4 / told["both_seconds"]["median"])
    assert told["tflops"] == pytest.approx(told["flops_per_step"] / step / 1e12)
    assert told["share_of_peak"] == pytest.approx(told["tflops"] / told["peak_tflops"])
    assert 0 < told["share_of_peak"] < 1
    for name in ("step_seconds", "both_seconds", "loader_seconds"):
        assert 0 < told[name]["low"] <= told[name]["median"] <= told[name]["high"]
        assert told[name]["count"] == 3
    assert told["peak_bytes"] > 2**20 and told["first_step_seconds"] > 0


def test_parts_are_a_steps_in_time_and_work(found: tuple[Speeds, list[str]]) -> None:
    parts = found[0].told()["parts"]
    assert list(parts) == [name for name in STEP_PARTS if name in parts]
    assert {"stem", "encoder", "decoder", "head", "optimiser"} <= set(parts)
    assert sum(part["flops"] for part in parts.values()) == found[0].account.flops
    assert all(part["seconds"] >= 0 for part in parts.values())
    assert parts["optimiser"]["flops"] == 0 < parts["optimiser"]["moved_numbers"]
    assert sum(part["weights"] for part in parts.values()) == found[0].told()["parameters"]


def test_it_is_json_and_says_on_the_way_what_it_does(found: tuple[Speeds, list[str]]) -> None:
    assert json.loads(json.dumps(found[0].told())) == found[0].told()
    assert found[1][0] == "counting operations" and len(found[1]) == 7


def test_the_time_of_parts_is_that_of_the_middle_step() -> None:
    work = work_of()
    learner = learner_of(work)
    before = {name: one.clone() for name, one in learner.named_parameters()}
    taking = Taking(learner, work.settings.optim, CPU, Fitting(learner))
    views = synthetic_loader(work).host(0).to(torch.device("cpu"))
    seconds = timed_parts(taking, views, times=2)
    assert seconds is not None and set(seconds) <= set(STEP_PARTS)
    assert all(spent > 0 for spent in seconds.values())
    assert any(not torch.equal(one, before[name]) for name, one in learner.named_parameters()), "real steps"


def test_a_step_that_does_not_fit_has_no_timed_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    work = work_of()
    learner = learner_of(work)
    taking = Taking(learner, work.settings.optim, CPU, Fitting(learner))
    monkeypatch.setattr("vlpbench.runner.bench_parts.joint_loss", full)
    assert timed_parts(taking, {}) is None
    parts = parts_of(Account({"stem": Work(forward=1)}, 1), None)
    assert {name: part.seconds for name, part in parts.items()} == {"stem": None, "optimiser": None}


def test_pictures_that_are_seen_twice_are_images_twice() -> None:
    work = work_of("image.flip=true", objective="contrastive")
    made = bench(work, synthetic_loader(work, steps=3), "made up", lambda said: None, SHORT)
    assert made.images == made.pairs == 4
    assert made.both.count == 2, "three steps, the first of them warm"
