"""Known answers of this very objective: what it gives where anybody can tell. With another one, write them anew."""

from __future__ import annotations

import numpy as np
import pytest
from vlpbench_example import Config, ExampleObjective

from vlpbench.testing import tiny_batches


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
