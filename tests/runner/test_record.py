"""What a record holds of each task: its scores with how they came about, or the reason why there are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vlpbench.files import readable
from vlpbench.metrics import VERSION
from vlpbench.records import read_predictions
from vlpbench.runner.record import cost_of, curve_of, rows_of, scores_of
from vlpbench.tasks.suite import Outcome, task_named
from vlpbench.tasks.trial import Scores
from vlpbench.training.loop import Training


@pytest.fixture
def outcomes() -> dict[str, Outcome | str]:
    """A task that was fine-tuned, one that was probed, and one that could not be asked."""
    tuned = Training([{"step": 1, "loss": 2.0}], samples=16, targets=40, flops=7)
    scores = Scores({"accuracy": 40.0}, {}, {"chance": {"accuracy": 1.0}}, {"accuracy": 90.0}, 3, {"images": 2})
    return {
        "vqa": Outcome(scores, [{"prediction": "two"}], "decoder", tuned, {}),
        "classification@probe": Outcome(
            Scores({"accuracy": None}, {"accuracy": "why"}), [], "vectors", Training(), {"C": 1.0}
        ),
        "captioning": "n/a: needs decode",
    }


def test_what_is_written_of_each_task(ran: Any, outcomes: dict[str, Outcome | str]) -> None:
    cell = ran.cell("plain")
    found = scores_of(cell, outcomes)
    assert found["metrics"] == VERSION
    assert found["tasks"]["captioning"] == {"reason": "n/a: needs decode"}
    vqa, probed = found["tasks"]["vqa"], found["tasks"]["classification@probe"]
    assert vqa["protocol"] == "fine-tune" and probed["protocol"] == "probe"
    assert vqa["head"] == "decoder" and vqa["data"] == "digits" and vqa["split"] == "test" and vqa["select"] == "last"
    assert vqa["fine_tune"] == {"samples": 16, "flops": 7} and vqa["told"] == {"images": 2}
    assert vqa["values"] == {"accuracy": 40.0} and vqa["examples"] == 3 and vqa["ceilings"] == {"accuracy": 90.0}
    assert probed["reasons"] == {"accuracy": "why"} and probed["probe"] == {"C": 1.0} and "probe" not in vqa
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_curves_are_those_of_pretraining_then_of_each_fine_tune(outcomes: dict[str, Outcome | str]) -> None:
    rows = curve_of([{"stage": "pretrain", "step": 1, "loss": 3.0}], outcomes)
    assert rows == [{"stage": "pretrain", "step": 1, "loss": 3.0}, {"stage": "vqa", "step": 1, "loss": 2.0}]
    assert rows_of(outcomes) == {"vqa": [{"prediction": "two"}], "classification@probe": []}


def test_of_what_pretraining_told_only_its_cost_is_kept() -> None:
    told = {"parameters": 1, "image_tokens": 2, "samples": 3, "targets": 4, "flops": 5}
    assert cost_of(told | {"curve": [], "left_out": {}}) == told
    assert cost_of(told | {"images": 1, "curve": []}) == told | {"images": 1}  # several captions of a picture at once


@pytest.mark.parametrize("row", ["words", "towers", "plain"])
def test_stored_scores_are_those_of_the_stored_rows(ran: Any, row: str) -> None:
    """Whoever reads a record's predictions comes to its scores, floors and ceilings, to the last digit."""
    folder = ran.folder(row)
    tasks = folder.read("scores.json")["tasks"]
    protocols = folder.read("settings.json")["settings"]["protocol"]
    scored = {task: said for task, said in tasks.items() if "values" in said}
    assert scored
    for task, said in scored.items():
        rows = read_predictions(folder.path / "predictions" / f"{readable(task)}.parquet")
        found = task_named(task).score(rows, protocols[task]["metrics"])
        kept = {key: said[key] for key in ("values", "reasons", "floors", "ceilings", "examples", "told")}
        assert kept == json.loads(json.dumps({key: getattr(found, key) for key in kept}))
