"""A grid whose seeds train together: one process and one log a group, a record each, failures of one its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.runner.conftest import Ran, run
from vlpbench.records import CellFolder

ARGUMENTS = ["--pack", "--jobs", "2", "-S", "seeds=[0, 1]", "-S", "tasks=['vqa']", "-S", "floors=false"]
ROWS = {
    "words": 'objective = "prefix-lm"',
    "exits": 'objective = "exits"\nbackbone = "linear/dual/nano"',
}


@pytest.fixture(scope="module")
def packed(written: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(written(ROWS), tmp_path_factory.mktemp("packed"), ARGUMENTS)


def folders(ran: Ran, row: str) -> list[CellFolder]:
    plan = ran.plan(*ARGUMENTS[4::2])
    return [CellFolder(plan.results / "cells" / cell.folder) for cell in plan.cells if cell.row == row]


def test_each_seed_has_a_record_and_the_log_is_the_first_one_s(packed: Ran) -> None:
    assert packed.code == 1
    assert [folder.state() for folder in folders(packed, "words")] == ["done", "done"]
    first, second = folders(packed, "words")
    said = (second.path / "log.txt").read_text()
    assert f"../{first.path.name}/log.txt" in said and (first.path / "log.txt").is_file()
    assert first.read("scores.json")["tasks"]["vqa"] != {} and "pretrain" in second.read("timing.json")["seconds"]
    lines = [line for line in packed.err.splitlines() if "words, seed" in line and "started" in line]
    assert len(lines) == 2


def test_cells_whose_process_dies_are_tried_by_themselves(packed: Ran) -> None:
    for folder in folders(packed, "exits"):
        assert folder.state() == "failed" and "exit code 7" in folder.status()["cause"]
        assert "so long" in (folder.path / "log.txt").read_text(), "each has a log of its own last try"
    assert packed.err.count("tried again: by itself: the process ended without a word") == 2


def test_the_numbers_are_those_of_seeds_alone(packed: Ran, written: Any, tmp_path: Path) -> None:
    alone = run(written({"words": ROWS["words"]}), tmp_path, ["--no-pack", *ARGUMENTS[1:]])
    assert alone.code == 0, alone.err
    for one, two in zip(folders(packed, "words"), folders(alone, "words"), strict=True):
        losses = [[row["loss"] for row in folder.curve() if row["stage"] == "pretrain"] for folder in (one, two)]
        assert losses[0] == pytest.approx(losses[1], abs=1e-4)
        assert one.read("settings.json") == two.read("settings.json")
