"""Buffers are put back, and only those are copied that a step was seen to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.training.learner import Learner
from vlpbench.training.undoing import Undoing


@pytest.fixture
def mine(learner: Callable[..., Learner]) -> Any:
    """A learner with two buffers and a norm."""
    made = learner([PrefixLM])
    made.register_buffer("queue", torch.arange(4.0))
    made.register_buffer("filled", None)
    made.norm = nn.BatchNorm1d(3)
    return made


def told(learner: Learner) -> dict[str, Tensor]:
    return {name: buffer.clone() for name, buffer in learner.named_buffers()}


def equal(learner: Learner, before: dict[str, Tensor]) -> bool:
    now = told(learner)
    return now.keys() == before.keys() and all(now[name].equal(value) for name, value in before.items())


def test_what_the_first_step_writes_is_put_back(mine: Any) -> None:
    before, undoing = told(mine), Undoing(mine)
    undoing.begin()
    mine.queue += 1
    mine.filled = torch.ones(2)
    mine.norm(torch.randn(5, 3))
    assert not equal(mine, before)
    assert undoing.undo() is None
    assert equal(mine, before) and mine.filled is None


def test_it_can_be_put_back_as_often_as_a_step_is_tried(mine: Any) -> None:
    before, undoing = told(mine), Undoing(mine)
    for step in range(3):
        undoing.begin()
        for _ in range(3):
            mine.queue[step] = 9.0
            assert undoing.undo() is None and equal(mine, before)
        mine.queue[step] = 9.0
        undoing.end()
        before = told(mine)


def test_norms_are_known_to_be_written(mine: Any) -> None:
    """Even where no step before has moved them: torch does not count what their kernels write."""
    undoing = Undoing(mine)
    undoing.begin()
    undoing.end()
    before = told(mine)
    undoing.begin()
    mine.norm(torch.randn(5, 3))
    assert undoing.undo() is None
    assert equal(mine, before)


def test_another_tensor_in_its_place_is_taken_out_again(mine: Any) -> None:
    undoing = Undoing(mine)
    undoing.begin()
    undoing.end()
    undoing.begin()
    queue, mine.queue = mine.queue, mine.queue + 1
    assert undoing.undo() is None
    assert mine.queue is queue


def test_what_was_never_seen_to_be_written_is_named(mine: Any) -> None:
    undoing = Undoing(mine)
    undoing.begin()
    undoing.end()
    undoing.begin()
    mine.queue += 1
    assert undoing.undo() == "queue"


def test_what_after_step_writes_is_kept(mine: Any) -> None:
    """It is written between two gradients, so it is no reason for copies, and a later undoing keeps it."""
    undoing = Undoing(mine)
    for _ in range(2):
        undoing.begin()
        undoing.end()
        mine.queue += 1
    undoing.begin()
    assert undoing.undo() is None
    assert mine.queue.tolist() == [2.0, 3.0, 4.0, 5.0]


def test_a_teachers_buffers_are_left_alone(mine: Any) -> None:
    mine.teachers["0_99"] = nn.BatchNorm1d(3)
    undoing = Undoing(mine)
    undoing.begin()
    mine.teachers["0_99"].running_mean += 1
    assert undoing.undo() is None
    assert mine.teachers["0_99"].running_mean.tolist() == [1.0, 1.0, 1.0]
