"""The contract of an objective, checked from outside: by vlpbench's own kit, by known answers, and as a plugin."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from vlpbench_example import Config, ExampleObjective

from vlpbench.testing import parametrize_objective_checks, tiny_batches


@parametrize_objective_checks([ExampleObjective])
def test_it_keeps_the_contract(objective, check):
    check(objective)


@pytest.mark.parametrize("known", [0.0, 0.3, 0.5, 1.0])
def test_known_and_said_words_are_the_text(known):
    lengths = (1, 2, 5, 8)
    given = tiny_batches(samples=4, words=lengths)["pairs"]
    made = ExampleObjective.corrupt(given, np.random.default_rng(0), Config(known))
    for row, length in enumerate(lengths):
        text = given.tokens[row, :length]
        first, rest = text[made["known"][row, :length]], made["targets"][row][made["said"][row]]
        assert np.array_equal(np.concatenate([first, rest]), text)
        assert made["count"][row] == len(rest) == length - min(int(known * length), length - 1)
        assert made["inputs"][row, 0] == given.vocabulary.bos
        assert np.array_equal(made["inputs"][row, 1 : len(rest)], rest[:-1])


def test_vlpbench_finds_it():
    command = [sys.executable, "-m", "vlpbench", "plugins", "list", "--json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert ["objective example-objective"] in [plugin["brings"] for plugin in json.loads(listed.stdout)["plugins"]]
