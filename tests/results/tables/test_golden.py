"""Whole tables as they are read: scores, differences, costs, settings across, and folders of all sorts mixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from vlpbench.results import load
from vlpbench.results.tables import Asked, Table, build
from vlpbench.results.tables.entry_text import heads, text_of

NONE = (40.0, 42.0, 41.0, 45.0)
GOOD = (60.0, 61.0, 63.0, 64.0)
CLOSE = (59.0, 62.5, 62.0, 64.0)


def plain(table: Table) -> str:
    """A line a line, cells apart by strokes, the best in angle brackets, floors behind a tilde."""
    lines = [[table.head, *heads(table)]]
    for line in table.lines:
        texts = []
        for entry, column in zip(line.entries, table.columns, strict=True):
            text = text_of(entry, column.kind)
            texts.append(f"<{text}>" if entry.is_best else text)
        lines.append([f"~{line.name}" if line.kind == "floor" else line.name, *texts])
    return "\n".join(" | ".join(cells) for cells in lines)


@pytest.fixture
def three(grid: Any) -> Any:
    """Three rows of four seeds: one far below, two that no test can tell apart; published numbers of two."""
    for row, values in (("none", NONE), ("good", GOOD), ("close", CLOSE)):
        for seed, value in enumerate(values):
            grid.done(row, seed, {"accuracy": value, "CIDEr": value / 50})
    grid.published = {"none": {"vqa.accuracy": 49.7}, "good": {"vqa.accuracy": 67.43}}
    grid.close()
    return grid


def test_scores(three: Any) -> None:
    three.reference, three.beside = "none", ["image_tokens"]
    three.close()
    assert plain(build(load(three.folder))) == """\
row | image tokens | vqa acc. | vqa Δ | vqa acc. published | captioning CIDEr ×100 | captioning Δ
none | 16 | 42.0 ± 2.2 | – | 49.70 | 84.0 ± 4.3 | –
good | 16 | <62.0 ± 1.8> | +20.0* | 67.43 | <124.0 ± 3.7> | +40.0*
close | 16 | <61.9 ± 2.1> | +19.9* | – | <123.8 ± 4.2> | +39.8*
~chance | – | 2.5 | – | – | 10.0 | –
~majority | – | 7.2 | – | – | – | –"""


def test_differences(three: Any) -> None:
    table = build(load(three.folder), Asked(what="differences", baseline="none", metrics=("accuracy",)))
    assert plain(table) == """\
row | score | Δ | 95 % interval | p | p (Holm) | p (sign flips) | better in | n
good | vqa acc. | +20.0* | [+17.7, +22.3] | <0.001 | <0.001 | 0.125 | 100% | 4
close | vqa acc. | +19.9* | [+18.2, +21.5] | <0.001 | <0.001 | 0.125 | 100% | 4"""
    differences = np.subtract(GOOD, NONE)
    low, high = stats.t.interval(0.95, 3, differences.mean(), stats.sem(differences))
    assert (round(low, 1), round(high, 1)) == (17.7, 22.3), "scipy's"


def test_costs(three: Any) -> None:
    assert plain(build(load(three.folder), Asked(what="cost"))).splitlines()[:2] == [
        "row | parameters (M) | image tokens | samples seen | targets | pretraining TFLOP | seconds a cell | device",
        "none | 0.60 | 16 | 36,000 | 250,000 | 3.00 | 14 | cpu (x86_64)",
    ]


def test_settings_across(grid: Any) -> None:
    """Rows in the order of the grid, numbers ascending, a place that no row has empty, each column with its best."""
    grid.tasks = ("vqa",)
    names = iter("abcdefgh")
    for trunk, lr, start in (
        ("encoder-decoder", 0.01, 60.0), ("encoder-decoder", 0.002, 50.0), ("decoder-only", 0.01, 40.0),
    ):
        row = next(names)
        for seed, more in enumerate((0.0, 1.0, 0.4)):
            settings = {"backbone": f"conv3/{trunk}/nano", "optim": {"lr": lr}}
            grid.done(row, seed, {"accuracy": start + more + seed * lr}, settings=settings)
    asked = Asked(rows=("trunk",), columns=("optim.lr",), baseline="encoder-decoder")
    assert plain(build(load(grid.folder), asked)) == """\
trunk | vqa acc. optim.lr 0.002 | vqa acc. optim.lr 0.002 Δ | vqa acc. optim.lr 0.01 | vqa acc. optim.lr 0.01 Δ
encoder-decoder | 50.5 ± 0.5 | – | <60.5 ± 0.5> | –
decoder-only | – | – | 40.5 ± 0.5 | −20.0"""


def test_mixed_folders(grid: Any, another: Callable[..., Any]) -> None:
    """Failed and pending cells, different n, a task a row cannot have, a metric one row lacks, and two grids."""
    for seed, value in enumerate((40.0, 41.0, 42.0)):
        grid.done("whole", seed, {"accuracy": value, "CIDEr": 0.5 + seed / 100, "METEOR": 0.2})
    grid.done("part", 0, {"accuracy": 50.0, "CIDEr": 0.7, "METEOR": None})
    grid.failed("part", 1, "out of memory")
    grid.plan("part", 2)
    grid.plan("impossible", 0, "n/a: dual has no decoder")
    grid.failed("broken", 0, "the loss is not finite")
    other = another()
    other.done("whole", 0, {"accuracy": 43.0})
    table = build(load(grid.folder, other.folder))
    assert plain(table) == """\
row | vqa acc. | captioning CIDEr ×100 | captioning METEOR ×100
small: whole | <41.0 ± 1.0> | <51.0 ± 1.0> | 20.0 ± 0.0
small: part | 50.0 (n=1/3)† | 70.0 (n=1/3)† | pending†
small: impossible | n/a: dual has no decoder | n/a: dual has no decoder | n/a
small: broken | failed | failed | failed
other: whole | 43.0 (n=1) | n/a: needs decode | n/a
~small: chance | 2.5 | 10.0 | –
~small: majority | 7.2 | – | –
~other: chance | 2.5 | – | –
~other: majority | 7.2 | – | –"""
    assert "cell 000000000004 (small: part, seed 1) is not in the table: out of memory" in table.notes
    assert any("a row of a single seed is compared with none" in note for note in table.notes)
    assert any(note.startswith("†: some of the row's cells failed") for note in table.notes)
