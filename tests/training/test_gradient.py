"""However a step is cut, into micro-batches or over processes, its gradient is that of the whole."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vlpbench.backbones import Conv2, EncoderDecoder, Linear
from vlpbench.backbones.sizes import SIZES
from vlpbench.config.settings import ImageSettings
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples
from vlpbench.data.loader import Loader, Surgery
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.training.build import Blueprint
from vlpbench.training.gradient import check_micro_batch, joint_gradient
from vlpbench.training.joint import joint_loss
from vlpbench.training.learner import Learner, Term
from vlpbench.types import Batch, Step, Vocabulary

CPU = Device("cpu")
VOCABULARY = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))
Made = Callable[..., Any]
THREE = (PrefixLM, Contrastive, LanguageModel)


class Pairwise(Objective):
    """Neighbours of a group of two see each other in `encode`."""

    name, needs, coupled = "pairwise", frozenset({"image_vector", "text_vector"}), 2

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        image, text = backbone.image_vector(batch.image), backbone.text_vector(batch.text)
        other = text.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
        return {"right": (image * text).sum(1), "wrong": (image * other).sum(1)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        right, wrong = features["right"], features["wrong"]
        return Step((1 + wrong - right).relu(), {"right": right.mean()}, {"rows": right})


class Remembering(Objective):
    """Carries the texts of both kinds of batches."""

    name, needs, uses = "remembering", frozenset({"text_vector"}), frozenset({"pairs", "texts"})

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Tensor]:
        return {"vector": backbone.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        return Step(features["vector"][:, 0], {}, {"tokens": batch.tokens})


def step(loader: Loader, texts: Loader | None = None) -> dict[str, dict[str, Batch]]:
    found = loader.host(0).to(torch.device("cpu"))
    return found if texts is None else {**found, **texts.host(0).to(torch.device("cpu"))}


def gradients(learner: Learner, batches: Any, micro_batch: int = 0) -> tuple[Tensor, dict[str, Tensor], Any, Any]:
    learner.zero_grad()
    loss, figures, carries = joint_gradient(learner, batches, CPU, micro_batch)
    found = {name: w.grad.clone() for name, w in learner.named_parameters() if w.grad is not None}
    return loss, found, figures, carries


def assert_close(ours: Mapping[str, Tensor], whole: Mapping[str, Tensor]) -> None:
    assert ours.keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-5, atol=1e-6, msg=lambda said, name=name: name + said)


@pytest.fixture
def texts_loader(loader: Made, examples: Examples) -> Made:
    def make(objectives: Any, batch: int) -> Loader:
        alone = dataclasses.replace(examples, pixels=np.zeros((0, 32, 32, 3), np.uint8))
        return dataclasses.replace(loader(objectives, batch=batch), examples=alone, stream="pretrain/texts")

    return make


def test_it_is_the_gradient_of_the_joint_loss(loader: Made, learner: Made) -> None:
    whole, batches = learner(THREE, [1.0, 0.5, 2.0]), step(loader(THREE))
    loss, found, figures, _ = gradients(whole, batches)
    whole.zero_grad()
    direct, expected, _ = joint_loss(whole, batches, CPU)
    direct.backward()
    assert float(loss) == pytest.approx(direct.item(), rel=1e-6)
    assert_close(found, {name: w.grad for name, w in whole.named_parameters() if w.grad is not None})
    assert {k: float(v) for k, v in figures.items()} == pytest.approx({k: float(v) for k, v in expected.items()})


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7])
def test_micro_batches_of_any_size(loader: Made, learner: Made, texts_loader: Made, size: int) -> None:
    """Three terms, one of which sees the whole batch at once, on pairs and texts of unequal numbers."""
    whole = learner(THREE, [1.0, 0.5, 2.0])
    batches = step(loader(THREE, batch=6), texts_loader((PrefixLM, LanguageModel), 4))
    loss, expected, figures, _ = gradients(whole, batches)
    cut_loss, found, cut_figures, _ = gradients(whole, batches, size)
    assert float(cut_loss) == pytest.approx(float(loss), rel=1e-5)
    assert_close(found, expected)
    assert {k: float(v) for k, v in cut_figures.items()} == pytest.approx(
        {k: float(v) for k, v in figures.items()}, rel=1e-4
    )


def test_groups_stay_whole(loader: Made, learner: Made) -> None:
    whole, batches = learner([Pairwise]), step(loader([Pairwise], batch=6))
    _, expected, figures, carries = gradients(whole, batches)
    _, found, cut_figures, cut_carries = gradients(whole, batches, 2)
    assert_close(found, expected)
    torch.testing.assert_close(cut_carries["pairwise"]["rows"], carries["pairwise"]["rows"])
    assert float(cut_figures["pairwise/right"]) == pytest.approx(float(figures["pairwise/right"]), rel=1e-5)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_a_size_that_would_cut_groups_is_rounded_up(loader: Made, learner: Made, size: int) -> None:
    whole, batches = learner([Pairwise]), step(loader([Pairwise], batch=6))
    seen: list[int] = []
    whole.backbone.stem.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    _, expected, _, _ = gradients(whole, batches)
    seen.clear()
    assert_close(gradients(whole, batches, size)[1], expected)
    assert seen == {1: [2, 2, 2], 3: [4, 2], 5: [6]}[size]


def test_groups_round_up_only_the_kinds_of_batches_that_they_are_in(
    loader: Made, texts_loader: Made, learner: Made
) -> None:
    whole = learner([Pairwise, PrefixLM])
    batches = step(loader([Pairwise, PrefixLM], batch=6), texts_loader([PrefixLM], 3))
    _, expected, _, _ = gradients(whole, batches)
    read: list[int] = []
    whole.backbone.encoder[0].register_forward_hook(lambda _, given, __: read.append(len(given[0])))
    assert_close(gradients(whole, batches, 1)[1], expected)
    assert set(read[:-3]) == {2} and read[-3:] == [1, 1, 1]  # pairs two by two, texts one by one


def test_batch_norm_cannot_be_cut() -> None:
    vocabulary = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))
    backbone = Blueprint(Conv2, "", EncoderDecoder, SIZES["nano"], 32, vocabulary, 6, 0).build(PrefixLM.needs)
    whole = Learner(backbone, [Term(1.0, PrefixLM(PrefixLM.config_class(), backbone.spec))])
    check_micro_batch(whole, 0)
    with pytest.raises(UserError, match="batch norm"):
        check_micro_batch(whole, 2)


def test_the_tower_runs_once_a_piece_and_once_more_where_features_are_cached(loader: Made, learner: Made) -> None:
    whole, batches = learner(THREE), step(loader(THREE, batch=6))
    calls: list[int] = []
    whole.backbone.stem.register_forward_hook(lambda _, given, __: calls.append(len(given[0])))
    gradients(whole, batches)
    assert calls == [6]
    calls.clear()
    gradients(whole, batches, 3)
    assert calls == [3, 3, 3, 3]
    calls.clear()
    two = [PrefixLM, LanguageModel]  # neither sees the whole batch: nothing is computed twice
    other = learner(two)
    other.backbone.stem.register_forward_hook(lambda _, given, __: calls.append(len(given[0])))
    gradients(other, step(loader(two, batch=6)), 3)
    assert calls == [3, 3]


def share_of_a_step(rank: int, many: int, folder: str) -> None:
    """One process's share of a step; its gradients go to a file of its own."""
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=many)
    mine: dict[str, dict[str, Batch]] = {}
    for kind, views in made_step().items():
        mine[kind] = {}
        for name, view in views.items():
            rows = slice(rank * len(view) // many, (rank + 1) * len(view) // many)
            fields = ("images", "tokens", "mask", "image_ids", "caption_ids")
            cut = {key: None if getattr(view, key) is None else getattr(view, key)[rows] for key in fields}
            mine[kind][name] = dataclasses.replace(view, extras={k: x[rows] for k, x in view.extras.items()}, **cut)
    loss, found, figures, carries = gradients(made_learner(), mine, micro_batch=2)
    told = {"loss": loss, "figure": figures["pairwise/right"], "rows": carries["pairwise"]["rows"]}
    told["tokens"] = carries["remembering"]["tokens"]
    save_file({**{f"gradient {k}": v for k, v in found.items()}, **told}, f"{folder}/{rank}.safetensors")
    torch.distributed.destroy_process_group()


def made_step() -> dict[str, dict[str, Batch]]:
    """Eight pairs and six texts. Texts, which no term sees in groups, need not be whole groups."""
    rng, mask = np.random.default_rng(3), np.arange(6)[None] < np.array([6, 3, 5, 2, 6, 4, 2, 5, 3, 6, 4, 5])[:, None]
    pairs = Examples(
        pixels=rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8), image_rows=np.arange(12),
        image_ids=np.arange(12), tokens=np.where(mask, rng.integers(10, 60, (12, 6)), 0), mask=mask,
        caption_ids=np.arange(12), first=np.arange(12), many=np.ones(12, int),
    )
    texts = dataclasses.replace(pairs, pixels=np.zeros((0, 32, 32, 3), np.uint8))
    found: dict[str, dict[str, Batch]] = {}
    both = (PrefixLM, LanguageModel, Remembering)
    for examples, objectives, batch in ((pairs, [*THREE, Pairwise, Remembering], 8), (texts, both, 6)):
        surgeries = [Surgery(one.name, one.corrupt, one.config_class()) for one in objectives]
        loader = Loader(examples, surgeries, VOCABULARY, ImageSettings(size=32), 0, batch, 1)
        found |= loader.host(0).to(torch.device("cpu"))
    return found


def made_learner() -> Learner:
    vocabulary = Vocabulary(60, 0, 1, 2, 3, 4, (5, 6))
    blueprint = Blueprint(Linear, "", EncoderDecoder, SIZES["nano"], 32, vocabulary, 6, seed=0)
    objectives = [*THREE, Pairwise, Remembering]
    backbone = blueprint.build(frozenset().union(*(one.needs for one in objectives)))
    terms = [Term(1.0 + at, one(one.config_class(), backbone.spec)) for at, one in enumerate(objectives)]
    terms[0].objective.idle = torch.nn.Parameter(torch.ones(2, 2))
    return Learner(backbone, terms)


def test_two_processes_get_the_gradient_of_the_whole(tmp_path: Path) -> None:
    """A weight that no term reaches gets no gradient, whatever the number of processes."""
    from safetensors.torch import load_file

    loss, expected, figures, carries = gradients(made_learner(), made_step())
    assert "terms.prefix-lm.idle" not in expected
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    words = [sys.executable, __file__]
    started = [subprocess.Popen([*words, str(rank), "2", str(tmp_path)], env=where) for rank in range(2)]
    assert [one.wait(timeout=120) for one in started] == [0, 0]
    for rank in range(2):
        told = load_file(tmp_path / f"{rank}.safetensors")
        found = {name[9:]: value for name, value in told.items() if name.startswith("gradient ")}
        assert_close(found, expected)
        assert float(told["loss"]) == pytest.approx(float(loss), rel=1e-5)
        assert float(told["figure"]) == pytest.approx(float(figures["pairwise/right"]), rel=1e-4)
        torch.testing.assert_close(told["rows"], carries["pairwise"]["rows"])
        assert told["tokens"].equal(carries["remembering"]["tokens"])


@pytest.mark.parametrize("size", [0, 1, 4])
def test_pairs_are_carried_before_texts(loader: Made, texts_loader: Made, learner: Made, size: int) -> None:
    whole = learner([Remembering])
    batches = step(loader([Remembering], batch=6), texts_loader([Remembering], 3))
    expected = torch.cat([batches[kind]["remembering"].tokens for kind in ("pairs", "texts")])
    for given in (batches, dict(reversed(batches.items()))):
        assert gradients(whole, given, size)[3]["remembering"]["tokens"].equal(expected)


if __name__ == "__main__":  # a process of its own, started above
    share_of_a_step(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
