"""The contract of an objective, checked from outside: the surgery, what is declared, and that vlpbench finds it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from vlpbench_example import Config, ExampleObjective

from vlpbench.plugin import ABILITIES, API_VERSION, Batch, Vocabulary

VOCABULARY = Vocabulary(size=100, pad=0, bos=1, eos=2, unk=3, mask=4)
LENGTHS = (1, 2, 5, 8)


def batch() -> Batch:
    """Four texts of 1, 2, 5 and 8 tokens in rows of 8; the last token of each is the end of the sentence."""
    tokens = np.zeros((len(LENGTHS), 8), np.int64)
    for row, length in enumerate(LENGTHS):
        tokens[row, :length] = np.arange(10, 10 + length)
        tokens[row, length - 1] = VOCABULARY.eos
    ids = np.arange(len(LENGTHS))
    return Batch(None, tokens, tokens != VOCABULARY.pad, ids, ids, np.float32(0), VOCABULARY)


def test_what_is_declared():
    assert ExampleObjective.api_version == API_VERSION
    assert set(ExampleObjective.needs) <= set(ABILITIES)
    assert ExampleObjective.config_class() == Config()


@pytest.mark.parametrize("known", [0.0, 0.3, 0.5, 1.0])
def test_known_and_said_words_are_the_text(known):
    given = batch()
    made = ExampleObjective.corrupt(given, np.random.default_rng(0), Config(known))
    for row, length in enumerate(LENGTHS):
        text = given.tokens[row, :length]
        first, rest = text[made["known"][row, :length]], made["targets"][row][made["said"][row]]
        assert np.array_equal(np.concatenate([first, rest]), text)
        assert made["count"][row] == len(rest) == length - min(int(known * length), length - 1)
        assert made["inputs"][row, 0] == VOCABULARY.bos
        assert np.array_equal(made["inputs"][row, 1 : len(rest)], rest[:-1])


def test_the_surgery_is_a_pure_function():
    given, again = batch(), batch()
    one = ExampleObjective.corrupt(given, np.random.default_rng(7), Config())
    two = ExampleObjective.corrupt(again, np.random.default_rng(7), Config())
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert np.array_equal(given.tokens, batch().tokens)


def test_vlpbench_finds_it():
    command = [sys.executable, "-m", "vlpbench", "plugins", "list", "--json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert "example-objective" in json.dumps(json.loads(listed.stdout))
