"""Streams are functions of their arguments: no state, no order, no process can change a draw."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np

from vlpbench.streams import generator, seed_of


def test_a_seed_is_a_number_of_63_bits_that_never_changes() -> None:
    assert seed_of(0, "order") == 3955691223199900983
    assert seed_of(7, "corrupt/prefix-lm", 41) == 8751786885540669290
    assert all(0 <= seed_of(seed, "init/x", 3) < 2**63 for seed in range(100))


def test_every_argument_counts() -> None:
    streams = ["init", "order", "order/pretrain", "corrupt/prefix-lm", "1/2", "2", ""]
    asked = list(itertools.product([0, 1, 11, 12], streams, [0, 1, 2, 21]))
    assert len({seed_of(*one) for one in asked}) == len(asked)


def test_drawing_from_one_changes_no_other() -> None:
    alone = generator(5, "caption/pretrain", 7).random(4)
    beside = generator(5, "augment/pretrain", 7)
    beside.random(1000)
    again = generator(5, "caption/pretrain", 7)
    np.random.seed(1)
    assert np.array_equal(again.random(4), alone)
    assert not np.array_equal(again.random(4), alone)


def test_streams_of_neighbours_are_not_alike() -> None:
    drawn = np.stack([generator(seed, "order", step).random(2000) for seed in range(4) for step in range(4)])
    correlation = np.corrcoef(drawn) - np.eye(len(drawn))
    assert np.abs(correlation).max() < 0.1
    assert abs(drawn.mean() - 0.5) < 0.01


def test_another_process_draws_the_same() -> None:
    asked = "generator(3, 'order/pretrain', 2).integers(0, 10**9, 5).tolist()"
    said = f"from vlpbench.streams import generator; print({asked})"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(generator(3, "order/pretrain", 2).integers(0, 10**9, 5).tolist())
