"""Results folders with whatever a plot must stand: many rows, one seed, failed cells, names that are no names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from vlpbench.files import write_json
from vlpbench.results.frame import Results, load

NASTY = r"$\alpha_1$ & <b>50%</b> {x}^2 \textbf{#~}"
"""A row's name that is mathematics, HTML and LaTeX to those who read it as such."""


class Field:
    """A grid whose cells are given task by task; what is not said of a cell is as in any other."""

    def __init__(self, grid: Any) -> None:
        self.grid = grid
        self.reference = ""

    def done(self, row: str, seed: int, scores: Mapping[str, Mapping[str, float]], **more: Any) -> None:
        """A finished cell; `more`: cost (of pretraining), curve, settings, floors."""
        self.grid.tasks = tuple(dict.fromkeys([*self.grid.tasks, *scores]))
        folder = self.grid.begun(row, seed, **{"tasks": list(scores), **more.get("settings", {})})
        tasks = {
            task: {
                "protocol": "fine-tune", "head": "decoder", "data": "digits", "split": "test", "examples": 20,
                "select": "last", "fine_tune": {"samples": 640, "flops": 9}, "values": values, "reasons": {},
                "floors": more.get("floors", {}),
            }
            for task, values in scores.items()
        }
        cost = {"parameters": 600_000, "image_tokens": 16, "samples": 6_400, "targets": 9_000, "flops": 2 * 10**12}
        scored = {"tasks": tasks, "cost": cost | more.get("cost", {}), "left_out": {}}
        folder.finish(scored, more.get("curve", []), {}, {"timing": {"total": 10.0 + seed}})

    def read(self) -> Results:
        """The results as they stand."""
        path = self.grid.folder / "grid.json"
        said = json.loads(path.read_text(encoding="utf-8"))
        write_json(path, said | {"reference": self.reference})
        return load(self.grid.folder)


@pytest.fixture
def field(grid: Any) -> Field:
    """An empty one."""
    grid.tasks = ()
    return Field(grid)


@pytest.fixture
def vqa(field: Field) -> Callable[..., Results]:
    """vqa(rows, seeds): results of one task whose scores and costs rise from row to row by 1."""

    def made(rows: Sequence[str], seeds: int = 3) -> Results:
        for at, row in enumerate(rows):
            for seed in range(seeds):
                field.done(
                    row, seed, {"vqa": {"accuracy": 40.0 + at + 0.5 * seed}}, cost={"flops": at * 10**12},
                    floors={"chance": {"accuracy": 38.0}, "majority": {"accuracy": 2.0}}, curve=falling(10, at + 1.0),
                )
        return field.read()

    return made


def falling(points: int, start: float, stage: str = "pretrain") -> list[dict[str, Any]]:
    """A loss that falls from `start`, logged every fifth step."""
    return [{"stage": stage, "step": 5 * at + 4, "loss": start / (at + 1), "lr": 0.1} for at in range(points)]


@pytest.fixture(name="falling")
def falling_fixture() -> Callable[..., list[dict[str, Any]]]:
    """`falling`, for tests."""
    return falling


@pytest.fixture(name="nasty")
def nasty_fixture() -> str:
    """`NASTY`, for tests."""
    return NASTY


def texts(figure: Any) -> list[str]:
    """All that is written in a figure."""
    from matplotlib.text import Text

    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


@pytest.fixture(name="texts")
def texts_fixture() -> Callable[[Any], list[str]]:
    """`texts`, for tests."""
    return texts
