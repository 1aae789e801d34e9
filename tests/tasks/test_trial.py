"""What a task is given of its cell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.data.images import prepare_images
from vlpbench.data.splits import Split
from vlpbench.tasks.trial import Trial, blocks
from vlpbench.training.pace import Pace

Made = Callable[..., Trial]


def fields_of(made: Trial) -> dict[str, Any]:
    """What a trial is made of."""
    return {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}


@pytest.mark.parametrize(("total", "size"), [(0, 4), (1, 4), (4, 4), (9, 4), (5, 1)])
def test_blocks_cover_all_once_in_order(total: int, size: int) -> None:
    found = list(blocks(total, size))
    assert [at for block in found for at in block.tolist()] == list(range(total))
    assert all(0 < len(block) <= size for block in found)


def test_a_name_and_its_protocol(trial: Made) -> None:
    assert str(trial("captioning@zero-shot").name) == "captioning@zero-shot"
    assert trial("captioning@zero-shot").zero_shot and not trial("vqa").zero_shot
    assert trial("vqa").name.task == "vqa"


def test_blocks_are_the_tasks_own_unless_others_are_asked_for(trial: Made) -> None:
    made = trial("vqa")
    assert [len(block) for block in made.blocks(10, 4)] == [4, 4, 2]
    assert [len(block) for block in Trial(**{**fields_of(made), "pace": Pace(at_once=3)}).blocks(10, 4)] == [3, 3, 3, 1]


def test_pictures_are_those_of_the_rows(trial: Made, opened: Callable[..., Split]) -> None:
    split = opened("test")
    seen = trial("vqa").pictures(split, [3, 3, 0])
    assert torch.equal(seen, prepare_images(torch.from_numpy(np.asarray(split.pixels[[3, 3, 0]])), 32))


def test_a_backbone_takes_what_was_pretrained_and_draws_the_rest(trial: Made) -> None:
    made = trial("vqa")
    taught = made.blueprint.build({"context", "decode"}).state_dict()
    weights = {name: value + 1 for name, value in taught.items() if value.is_floating_point()}
    built = Trial(**{**fields_of(made), "weights": weights}).build(frozenset({"context", "decode", "image_vector"}))
    found, drawn = built.state_dict(), made.build(frozenset({"image_vector"})).state_dict()
    assert all(torch.equal(found[name], value) for name, value in weights.items())
    new = [name for name in found if name.startswith("image_head")]
    assert new and all(torch.equal(found[name], drawn[name]) for name in new)
