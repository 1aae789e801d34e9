"""Columns beside the scores: means where cells vary, texts joined, a dash where nothing is known."""

from __future__ import annotations

import pandas as pd
import pytest

from vlpbench.config.gridfile import BESIDE as GRIDS
from vlpbench.results import COLUMNS
from vlpbench.results.beside import BESIDE, column_of
from vlpbench.results.tables.entries import beside_entry
from vlpbench.results.tables.entry_text import text_of

CELLS = pd.DataFrame({
    "parameters": [1_500_000, 2_500_000], "flops": [2e12, None], "stem": ["conv3", "conv2"], "seconds": [None, None],
    "samples": [36_000, 36_000],
})


@pytest.mark.parametrize(
    ("name", "text"),
    [("parameters", "2.00"), ("flops", "2.00"), ("stem", "conv2, conv3"), ("seconds", "–"), ("samples", "36,000")],
)
def test_texts(name: str, text: str) -> None:
    assert text_of(beside_entry(CELLS[name], name)) == text


def test_small_numbers_keep_two_digits() -> None:
    assert text_of(beside_entry(pd.Series([4.56e9]), "flops")) == "0.0046"
    assert text_of(beside_entry(pd.Series([0.0]), "flops")) == "0.00"
    assert text_of(beside_entry(pd.Series([4.56e15]), "flops")) == "4,560.00"


def test_a_grid_may_name_every_column_that_can_be_printed() -> None:
    assert tuple(BESIDE) == GRIDS


def test_every_column_is_one_of_the_frame_and_has_a_head_of_its_own() -> None:
    assert {column_of(name) for name in BESIDE} <= set(COLUMNS)
    assert len({one.head for one in BESIDE.values()}) == len(BESIDE)
