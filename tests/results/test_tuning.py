"""What was tried for each row, by which rule, and what was chosen."""

from __future__ import annotations

from typing import Any

from vlpbench.results import load
from vlpbench.results.notes import protocol_notes

TRIED = [{"settings": {"optim.lr": 1e-3}, "score": 50.0}, {"settings": {"optim.lr": 3e-3}, "score": 51.26}]


def tuned(grid: Any) -> list[str]:
    return [line for line in protocol_notes(load(grid.folder)) if line.startswith("tuned: ")]


def done(grid: Any, row: str, seed: int, choice: float, samples: int = 4_000) -> None:
    grid.done(
        row, seed, {"accuracy": 1.0}, settings={"tune": {"task": "vqa", "samples": samples}},
        scores={"tuned": {"tried": TRIED, "choice": {"optim.lr": choice}}},
    )


def test_one_sentence_for_all_rows(grid: Any) -> None:
    for seed in range(2):
        done(grid, "a", seed, 3e-3)
    done(grid, "b", 0, 1e-3)
    (line,) = tuned(grid)
    assert line == (
        "tuned: optim.lr 0.001, 0.003 tried on 4,000 pairs each at seed 0; the highest primary metric of vqa on the "
        "validation split won, of equals the first; chosen: a: optim.lr=0.003 (51.3), b: optim.lr=0.001 (50.0)"
    )


def test_the_whole_budget_and_several_settings(grid: Any) -> None:
    both = {"optim": {"lr": 0.1, "clip": 1.0}}
    scores = {"tuned": {"tried": [{"settings": both, "score": None}], "choice": both}}
    grid.done("a", 0, {"accuracy": 1.0}, settings={"tune": {"task": "captioning", "samples": 0}}, scores=scores)
    (line,) = tuned(grid)
    assert line.startswith("tuned: optim.clip 1 and optim.lr 0.1 tried on the whole budget each at seed 0")
    assert "primary metric of captioning" in line and line.endswith("chosen: a: optim.clip=1 optim.lr=0.1")


def test_nothing_tried_nothing_said(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 1.0})
    grid.done("b", 0, {"accuracy": 1.0}, scores={"tuned": {"tried": [], "choice": {}}})
    assert tuned(grid) == []
