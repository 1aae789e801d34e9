"""Every table that can be asked for, of a grid whose names are full of LaTeX, set by a real pdflatex and read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from vlpbench.results import load
from vlpbench.results.frame import Results
from vlpbench.results.tables.latex import latex

NAMES = ("50% & a_b #2", "{x} of $y$ 2%", "[1pt] <c|d>", "\\textbf{e}")
SETTINGS = ("none", "prefix-lm", "contrastive", "masked-lm")
ASKED: Mapping[str, Mapping[str, Any]] = {
    "scores": {},
    "deltas": {"baseline": NAMES[0]},
    "interval": {"spread": "interval", "decimals": 2, "bold": "best"},
    "beside": {"beside": ["image_tokens", "flops", "parameters", "objective"]},
    "differences": {"what": "differences", "baseline": NAMES[0]},
    "cost": {"what": "cost"},
    "pivot": {"rows": ["objective"], "columns": ["size"]},
}


@pytest.fixture
def results(grid: Any) -> Results:
    """Four rows of three seeds: a cell that failed, a task that cannot be, a published column, floors."""
    grid.tasks = ("vqa", "captioning", "retrieval")
    for at, (row, objective) in enumerate(zip(NAMES, SETTINGS, strict=True)):
        for seed in range(3):
            scores = {"accuracy": 40.0 + 5 * at + seed, "CIDEr": 0.8 + at / 10 + seed / 50, "Bleu_4": 0.2, "TR@1": 9.0}
            kept = {name: value for name, value in scores.items() if at != 2 or name in ("accuracy", "TR@1")}
            if (at, seed) == (1, 2):
                grid.failed(row, seed, "out of memory: 100% of cuda:0 & more_")
            else:
                grid.done(row, seed, kept, settings={"objective": objective})
    grid.published = {row: {"vqa.accuracy": 60.0 + at} for at, row in enumerate(NAMES)}
    grid.close()
    return load(grid.folder)


@pytest.mark.parametrize("name", ASKED)
def test_every_table_compiles(name: str, results: Results, typeset: Callable[..., str]) -> None:
    text = " ".join(typeset(latex(results.table(**ASKED[name]))).split())
    rows = SETTINGS if name == "pivot" else NAMES
    assert [row for row in rows[1:] if row not in text and row.replace("_", " ") not in text] == []
    assert "Table 1:" in text and "??" not in text


def test_what_is_in_the_tables_is_in_print(results: Results, typeset: Callable[..., str]) -> None:
    text = " ".join(typeset(latex(results.table(baseline=NAMES[0]))).split())
    assert "42.5" not in text and "41.0 ± 1.0" in text and "(n = 2/3)" in text
    assert "needs decode" in text and "n/aa" in text.replace(" ", "")
