"""`vlpbench grid status` and `why`: what they print of each kind of cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vlpbench.files import write_json


@pytest.mark.parametrize("what", ["small.toml", "results/small", "small"])
def test_status_is_a_table_of_cells_and_their_sum(ground: Any, say: Any, line_of: Any, what: str) -> None:
    text = say("status", what)
    assert text.splitlines()[0].split() == ["row", "seed", "cell", "state", "stage", "loss", "time"]
    assert line_of(text, "good").split() == ["good", "0", ground.cells["good"].id, "done", "1:01"]
    assert line_of(text, "bad").endswith("0:07  ArithmeticError: three")
    assert " running  pretrain 3/4  1.250 " in line_of(text, "running")
    changed = line_of(text, "changed")
    assert " stale " in changed and ("optim.lr was 0.75, is 0.5" in changed) == (what == "small.toml")
    assert "can" not in line_of(text, "impossible") and "needs context" in line_of(text, "impossible")
    assert "small: 6 cells: 1 pending, 1 running, 1 done, 1 failed, 1 skipped, 1 stale; results in" in text
    assert "at work on this machine: process " in text
    assert "1 record of earlier settings is left alone (" in text
    said = "results/small" if what == "small" else what
    assert text.rstrip().endswith(f"vlpbench grid clean {said} lists them")
    rows = [line.split("  ")[0] for line in text.splitlines()[1:7]]
    assert rows == [*ground.cells], "in the grid's order"


def test_status_without_a_name_looks_at_all_results(ground: Any, say: Any, line_of: Any, tmp_path: Path) -> None:
    assert line_of(say("status"), "good")
    write_json(tmp_path / "results" / "other" / "grid.json", {
        "schema": 1, "name": "other", "description": "", "rows": [], "tasks": [], "cells": {},
    })
    text = say("status")
    assert "other: 0 cells; results in results/other" in text.splitlines()
    assert "good" not in text
    assert "there are no results in nowhere" in say("status", "--results", "nowhere", code=2)


def test_status_as_json(ground: Any, say: Any) -> None:
    found = json.loads(say("status", "results/small", "--json"))
    states = {one["row"]: one["state"] for one in found["cells"]}
    assert states == {
        "good": "done", "bad": "failed", "running": "running", "changed": "stale", "more": "pending",
        "impossible": "skipped",
    }
    assert found["cells"][2]["stage"] == "pretrain" and found["cells"][2]["done"] == 3


def test_why_tells_a_failure_with_the_end_of_its_log(ground: Any, say: Any) -> None:
    text = say("why", "small.toml", "bad")
    for words in ("state     failed: ArithmeticError: three", 'File "mine.py", line 14, in loss', "to do     mend it",
                  "the last 10 of 30 lines", "| step 29", "pretrain        to run",
                  f"vlpbench grid retry small.toml {ground.cells['bad'].id}"):
        assert words in text
    assert "| step 19" not in text


def test_why_tells_stages_sharers_and_what_differs(ground: Any, say: Any) -> None:
    text = say("why", "small.toml", ground.cells["more"].id[:5])
    assert "pretrain        is run by process" in text
    assert f"shares    pretrain with running, seed 0 ({ground.cells['running'].id})" in text
    text = say("why", "small.toml", "changed, seed 0")
    assert "state     stale" in text and "          optim.lr was 0.75, is 0.5" in text
    assert "next      vlpbench run grid small.toml" in text
    assert "next      vlpbench report table" in say("why", "results/small", "good")


def test_the_nearest_right_answer_is_told(ground: Any, say: Any) -> None:
    assert "did you mean 'good'?" in say("why", "small.toml", "goood", code=2)
    assert "small has no cell" in say("retry", "small.toml", "zzzzzz", code=2)
    assert "did you mean small.toml?" in say("status", "smal.toml", code=2)
    assert "did you mean results/small?" in say("status", "smal", code=2)
    assert "did you mean results/small?" in say("clean", "results", code=2)
    assert "-S" in say("status", "results/small", "-S", "optim.lr=1", code=2)


def test_results_tell_of_a_grid_whose_plugin_is_gone(ground: Any, say: Any) -> None:
    ground.file.write_text(f'plugins = ["gone.py"]\n{ground.file.read_text()}')
    text = say("status", "small.toml", code=3)
    assert "there is no file" in text and "results/small tells of its cells without the grid" in text
    assert "did you mean" not in text and "6 cells" in say("status", "results/small")


def test_results_tell_of_a_grid_whose_data_is_gone(ground: Any, say: Any) -> None:
    ground.file.write_text(ground.file.read_text().replace("[data.digits]", '[data.digits]\nkind = "coco"\n#')
                           .replace("train = 40\nval = 8\ntest = 8", 'folder = "gone"'))
    text = say("status", "small.toml")
    assert "note: the grid cannot be looked at here, so this is what results/small tells" in text
    assert "6 cells" in text and "1 done" in text


def test_records_without_their_list_are_no_orphans(ground: Any, say: Any) -> None:
    (ground.results / "grid.json").unlink()
    text = say("status", "results/small")
    assert "note: results/small/grid.json is missing" in text and "left alone" not in text


def test_what_is_to_be_typed_says_the_settings_again(ground: Any, say: Any) -> None:
    text = say("why", "small.toml", "changed", "-S", "optim.clip=2.0")
    assert "next      vlpbench run grid small.toml -S optim.clip=2.0" in text
