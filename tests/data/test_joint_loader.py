"""Pairs and texts of one step: the sums of both, one crossing each, and threads that end with the loop."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.config.settings import ImageSettings
from vlpbench.data.examples import Examples
from vlpbench.data.joint_loader import Batches, HostStep, JointLoader
from vlpbench.data.loader import Loader, Surgery
from vlpbench.types import Batch, Vocabulary

S, T = 8, 5


def seen(batch: Batch, rng: np.random.Generator, config: Any) -> Mapping[str, Any]:
    return {"seen": np.full(len(batch), batch.has_image), "noise": rng.random(len(batch)), "count": batch.mask.sum(1)}


def made(pictures: int, batch: int, stream: str, **changes: Any) -> Loader:
    tokens = np.arange(9 * T).reshape(9, T) + 40
    examples = Examples(
        pixels=np.full((pictures, S, S, 3), 7, np.uint8),
        image_rows=np.zeros(9, np.int64), image_ids=np.arange(9), tokens=tokens, mask=tokens % 3 > 0,
        caption_ids=np.arange(9), first=np.arange(9), many=np.ones(9, np.int64),
    )
    vocabulary = Vocabulary(size=200, pad=0, bos=1, eos=2, unk=3, mask=4)
    whole = Loader(
        examples, [Surgery("prefix-lm", seen, None)], vocabulary, ImageSettings(size=S), 3, batch, 12, stream
    )
    return dataclasses.replace(whole, **changes)


@pytest.fixture
def pairs() -> Loader:
    return made(1, 6, "pretrain")


@pytest.fixture
def texts() -> Loader:
    return made(0, 2, "pretrain/texts")


def numbers(step: HostStep) -> list[Any]:
    """What is in a step, as plain numbers."""
    views = [batch.views["prefix-lm"] for batch in step.batches]
    return [(view.tokens.tolist(), view["noise"].tolist(), view.image_ids.tolist()) for view in views]


def test_pictures_and_padding_of_a_step_are_those_of_both_batches(pairs: Loader, texts: Loader) -> None:
    joint = JointLoader((dataclasses.replace(pairs, captions=3), texts))
    step = joint.host(1)
    assert joint.images == step.images == 2 and step.samples == 8
    assert JointLoader((pairs,)).images == 6 and JointLoader((texts,)).images == 0
    assert JointLoader((texts,)).host(0).images == 0
    empty = sum(int((~batch.views["prefix-lm"].mask).sum()) for batch in step.batches)
    assert empty and step.padding == (empty, empty)


def test_a_step_holds_both_batches_and_their_sums(pairs: Loader, texts: Loader) -> None:
    step = JointLoader((pairs, texts)).host(4)
    alone = pairs.host(4), texts.host(4)
    assert step.samples == 8
    assert step.targets == alone[0].targets + alone[1].targets
    assert numbers(step) == numbers(HostStep(alone))


def test_one_crossing_gives_pairs_and_texts(pairs: Loader, texts: Loader) -> None:
    crossed = JointLoader((texts, pairs)).host(0).to(torch.device("cpu"))
    assert set(crossed) == {"pairs", "texts"}
    pair, text = crossed["pairs"]["prefix-lm"], crossed["texts"]["prefix-lm"]
    assert pair.images.shape == (6, 3, S, S) and text.images is None
    assert pair.has_image and pair["seen"].all()
    assert not text.has_image and not text["seen"].any()
    assert len(pair) == 6 and len(text) == 2


@pytest.mark.parametrize("workers", [0, 2])
def test_steps_are_those_of_the_loaders_whoever_makes_them(pairs: Loader, texts: Loader, workers: int) -> None:
    helped = JointLoader((dataclasses.replace(pairs, workers=workers), dataclasses.replace(texts, workers=workers)))
    assert (helped.steps, helped.seed) == (12, 3)
    steps = list(helped)
    assert [numbers(step) for step in steps] == [numbers(JointLoader((pairs, texts)).host(at)) for at in range(12)]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("first", [0, 5, 12])
def test_the_steps_from_one_on_are_those_of_the_whole(pairs: Loader, texts: Loader, workers: int, first: int) -> None:
    whole = [numbers(step) for step in JointLoader((pairs, texts))]
    helped = JointLoader((dataclasses.replace(pairs, workers=workers), texts))
    assert [numbers(step) for step in helped.from_step(first)] == whole[first:]


def test_threads_end_where_a_later_part_is_left_early(pairs: Loader) -> None:
    before = threading.active_count()
    steps = JointLoader((dataclasses.replace(pairs, workers=2),)).from_step(7)
    next(steps)
    steps.close()
    assert threading.active_count() == before


def test_threads_end_with_the_loop(pairs: Loader, texts: Loader) -> None:
    before = threading.active_count()
    steps = iter(JointLoader((dataclasses.replace(pairs, workers=2), dataclasses.replace(texts, workers=1))))
    next(steps)
    assert threading.active_count() > before
    steps.close()
    assert threading.active_count() == before


def test_one_loader_alone_is_a_step_too(texts: Loader) -> None:
    joint: Batches = JointLoader((texts,))
    steps = list(joint)
    assert [step.samples for step in steps] == [2] * 12
    assert list(steps[0].to(torch.device("cpu"))) == ["texts"]


def test_a_loader_can_stand_in_its_place(pairs: Loader) -> None:
    plain: Batches = pairs
    assert [step.targets for step in plain] == [step.targets for step in JointLoader((pairs,))]


def test_loaders_that_do_not_belong_together_are_refused(pairs: Loader, texts: Loader) -> None:
    with pytest.raises(ValueError, match="equal steps and one seed"):
        JointLoader((pairs, dataclasses.replace(texts, steps=11)))
    with pytest.raises(ValueError, match="equal steps and one seed"):
        JointLoader((pairs, dataclasses.replace(texts, seed=4)))
    with pytest.raises(ValueError, match="its own stream"):
        JointLoader((pairs, dataclasses.replace(texts, stream="pretrain")))
    with pytest.raises(ValueError, match="only one of them"):
        JointLoader((pairs, made(1, 2, "other")))
    with pytest.raises(ValueError, match="not 0"):
        JointLoader(())
