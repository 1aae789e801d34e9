"""Trying settings on the validation split: which, how often, by which rule, and what the record says of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import cells, open_grid
from vlpbench.runner.cell import Hands, folder_of, run_cell
from vlpbench.runner.sharing import Sharing
from vlpbench.runner.stages import next_shared
from vlpbench.runner.tuning import _best, tune
from vlpbench.runner.workbench import opened_here
from vlpbench.training.pace import Pace

GRID = """
name = "tried"
seeds = [0, 1]
tasks = ["captioning"]
[base]
objective = "prefix-lm"
[data.digits]
train = 30
val = 12
test = 8
[text]
vocabulary = 330
[budget]
samples = 32
batch = 8
[protocol.captioning]
samples = 16
batch = 8
[tune]
task = "captioning"
samples = 16
[tune.tries]
"optim.lr" = [1e-3, 1e-2]
"objective.prefix-lm.shortest" = [1, 2]
"""


@pytest.fixture
def grid(tmp_path: Path) -> Any:
    (tmp_path / "grid.toml").write_text(GRID)

    def read(*overrides: str) -> Any:
        found, registry = open_grid(str(tmp_path / "grid.toml"), overrides)
        return cells(found, registry, opened_here), registry

    return read


def test_a_cell_is_run_with_what_was_chosen(grid: Any, tmp_path: Path) -> None:
    (first, second, *blind), registry = grid()
    stages: list[str] = []
    assert run_cell(first, tmp_path, Hands(registry, Device("cpu"), hearing=lambda stage, *_: stages.append(stage)))
    record = folder_of(first, tmp_path)
    told = record.read("scores.json")["tuned"]
    assert [one["settings"] for one in told["tried"]] == [
        {"optim.lr": lr, "objective.prefix-lm.shortest": shortest} for lr in (1e-3, 1e-2) for shortest in (1, 2)
    ]
    assert told["task"] == "captioning" and told["samples"] == 16
    assert told["choice"] == max(told["tried"], key=lambda one: one["score"])["settings"]
    tried = list(dict.fromkeys(stages))
    assert tried[:2] == ["try 1/4: pretrain", "try 1/4: captioning"] and tried[-3:] == [
        "pretrain", "captioning", "captioning: predict",
    ]
    assert max(row["lr"] for row in record.curve() if row["stage"] == "pretrain") == told["choice"]["optim.lr"]
    assert record.read("settings.json")["settings"]["tune"]["task"] == "captioning"
    for other in (second, *blind):  # another seed and the blind row: the same choice, nothing tried again
        again: list[str] = []
        hear = lambda stage, *_, again=again: again.append(stage)  # noqa: E731
        found = tune(other, Sharing(tmp_path), registry, Device("cpu"), hear)
        assert found.told == json.loads(json.dumps(told)) and again == []
        assert found.cell.settings.optim.lr == told["choice"]["optim.lr"]
        assert found.cell.settings.seed == other.seed and found.cell.settings.blind == other.settings.blind


def test_tries_never_open_the_test_split(grid: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vlpbench.runner import workbench

    opened: list[str] = []
    real = workbench.open_split

    def spied(data: Any, name: str, **more: Any) -> Any:
        opened.append(name)
        return real(data, name, **more)

    monkeypatch.setattr(workbench, "open_split", spied)
    (first, *_), registry = grid()
    tune(first, Sharing(tmp_path), registry, Device("cpu"))
    assert set(opened) == {"train", "val"}


def test_what_is_chosen_does_not_hang_on_how_many_are_asked_at_once(
    grid: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of scores that all but tie the last bit decides, so tries go by each task's own number."""
    from vlpbench.runner import tuning

    heard = []

    def spied(trial: Any) -> Any:
        heard.append((trial.pace.at_once, trial.pace.workers))
        return real(trial)

    real = tuning.run_task
    monkeypatch.setattr(tuning, "run_task", spied)
    (cell, *_), registry = grid()
    tune(cell, Sharing(tmp_path / "r"), registry, Device("cpu"), pace=Pace(workers=1, at_once=3))
    assert set(heard) == {(0, 1)}


def test_cells_wait_for_the_stage_that_they_share(grid: Any, tmp_path: Path) -> None:
    (first, second, *_), registry = grid()
    assert next_shared(first, tmp_path, registry) == next_shared(second, tmp_path, registry)
    tune(first, Sharing(tmp_path), registry, Device("cpu"))
    after = [next_shared(one, tmp_path, registry) for one in (first, second)]
    assert None not in after and after[0] != after[1], "two seeds pretrain apart"


def test_another_row_and_another_budget_of_tries_are_tried_anew(grid: Any, tmp_path: Path) -> None:
    (first, *_), registry = grid()
    (other, *_), _ = grid("tune.samples=24")
    (stem, *_), _ = grid("stem=conv2")
    assert len({str(next_shared(one, tmp_path, registry)) for one in (first, other, stem)}) == 3
    assert len({one.id for one in (first, other, stem)}) == 3


def test_nothing_to_try_is_nothing_done(grid: Any, tmp_path: Path) -> None:
    (first, *_), registry = grid()
    plain = dataclasses.replace(first, settings=dataclasses.replace(first.settings, tune=type(first.settings.tune)()))
    found = tune(plain, Sharing(tmp_path), registry, Device("cpu"))
    assert found.cell is plain and found.told is None and not list(tmp_path.glob("stages/tune*"))


def test_a_try_that_cannot_be_run_is_out_and_the_others_are_tried(grid: Any, tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(path.read_text().partition("[tune.tries]")[0] + """[tune.tries]
"backbone" = ["linear/dual/nano", "linear/encoder-decoder/nano"]
"image.size" = [33, 32]
""")
    (first, *_), registry = grid()
    found = tune(first, Sharing(tmp_path), registry, Device("cpu"))
    assert found.told is not None
    reasons = [one.get("reason", "") for one in found.told["tried"]]
    assert ["needs context, decode" in reason for reason in reasons] == [True, True, False, False]
    assert "image.size 33 is not a multiple" in reasons[2] and reasons[3] == ""
    assert found.told["choice"] == {"backbone": "linear/encoder-decoder/nano", "image.size": 32}


def test_the_rule() -> None:
    def tried(*scores: Any) -> list[dict[str, Any]]:
        return [{"settings": {"n": n}, "score": score} for n, score in enumerate(scores)]

    assert _best(tried(1.0, 3.0, 3.0)) == {"n": 1}, "the first of equals"
    assert _best(tried(None, -1.0)) == {"n": 1}, "what has no score is no choice"
    with pytest.raises(UserError, match="none of 2 tries has a score"):
        _best(tried(None, None))
