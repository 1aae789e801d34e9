"""Sums over cells, rows, memory and disk, of numbers that were not measured but chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vlpbench.contract.launcher import Place
from vlpbench.grid import open_grid
from vlpbench.runner.company import Company
from vlpbench.runner.costs import MEANS, Work, disk_of, memory_of, row_costs, run_of
from vlpbench.runner.measured import Failure, Found, Line, Measured, seconds_of
from vlpbench.runner.plan import plan_grid
from vlpbench.runner.shapes import PRETRAIN, Amount, Piece, pieces_of

PRETRAINED = Measured(build=1, first=3, step=2, look=5, keep=0.5, weights=1_000, peak=70)
TASK = Measured(
    build=1, first=1, step=0.5, keep=1, weights=400, asked=Line(2, 0.25), rows=Line(10, 1), examples={"test": 8},
    peak=90,
)
LEARNT, ASKED = 1 + 1 + 0.5 + 1, 2 + 8 * 0.25
"""Seconds of each of these tasks: two steps, and eight examples."""


@pytest.fixture
def work(written: Any, tmp_path: Path) -> Any:
    """(what else was found) -> the work of two seeds of a row, of its blind twins and of a row without pretraining."""
    file = written({"words": 'objective = "prefix-lm"', "none": 'objective = "none"'})
    grid, registry = open_grid(str(file), ["seeds=[0, 1]"])
    plan = plan_grid(grid, registry, tmp_path)

    def make(**parts: Any) -> tuple[list[Work], Any]:
        found: dict[str, Found] = {}
        every = {cell.id: list(pieces_of(cell, plan, registry)) for cell in plan.chosen("run")}
        for piece in (piece for pieces in every.values() for piece in pieces):
            known = found.setdefault(piece.shape, Found({"start": Measured(build=7), "open": Measured(build=3)}))
            usual = PRETRAINED if piece.part == PRETRAIN else TASK
            known.parts[piece.part] = parts.get(piece.column, usual)
        return [Work(cell, every[cell.id], found) for cell in plan.chosen("run")], registry

    return make


def piece(kind: Any, **amount: Any) -> Piece:
    return Piece("vqa", kind, "", "", None, "", Amount(**amount))  # type: ignore[arg-type]


def test_seconds_of_a_piece() -> None:
    assert seconds_of(piece("pretrain", steps=11, looks=2), PRETRAINED) == 1 + 3 + 10 * 2 + 2 * 5 + 0.5
    assert seconds_of(piece("fine-tune", steps=2), TASK) == LEARNT
    assert seconds_of(piece("fine-tune", steps=2, predicted=("test", "test")), TASK) == LEARNT + 2 * ASKED
    assert seconds_of(piece("fine-tune"), replace(TASK, fitted=7)) == 1 + 7 + 1, "a probe takes no step"
    assert seconds_of(piece("predict", predicted=("test",)), replace(TASK, external=8)) == ASKED + 8


def test_a_row_pays_what_its_cells_run_and_no_shared_pretraining(work: Any) -> None:
    cells, registry = work()
    run = run_of(cells, 1)
    rows = {row.row: row for row in row_costs(cells, run, registry)}
    assert list(rows) == ["words", "none", "words, blind"]
    pretrained, asked = 2 * (3 + 1 + 3 + 4 * 2 + 0.5), 2 * (LEARNT + ASKED)
    assert rows["words"].seconds == {"start": 14, "pretrain": pretrained, "vqa": asked, "captioning": asked}
    assert rows["words, blind"].seconds["vqa"] == asked + 2 * 3, "who pretrains nothing opens the data later"
    assert rows["words, blind"].said == {"pretrain": "shared"} and "pretrain" not in rows["words, blind"].seconds
    assert rows["none"].said["retrieval@zero-shot"].startswith("n/a")
    assert sum(row.total for row in rows.values()) == run.seconds, "in one slot nobody waits"
    assert run_of(cells, 2).seconds < run.seconds
    first = {piece.label: paid for piece, paid in cells[0].paid(run)}
    assert list(first) == ["pretrain", "vqa", "vqa: predict", "captioning", "captioning: predict"]
    assert first["vqa: predict"] == ASKED


def test_a_part_that_fails_ends_its_cells_and_is_said(work: Any) -> None:
    cells, registry = work(pretrain=Failure("fails after 2 s: LookupError: no start today", 2.0))
    rows = {row.row: row for row in row_costs(cells, run_of(cells, 1), registry)}
    assert rows["words"].seconds == {"start": 14, "pretrain": 2 * (3 + 2.0)}
    assert rows["words"].said["pretrain"] == "fails after 2 s: LookupError: no start today"
    assert rows["words, blind"].seconds["pretrain"] == 2 * (3 + 2.0), "who fails leaves nothing to share"
    assert rows["none"].seconds["vqa"] == 2 * (3 + LEARNT + ASKED)
    assert disk_of(cells, 4).weights == 2 * 2 * 400, "only the row that ends well leaves anything"


def test_memory_of_as_many_of_the_largest_as_share_it(work: Any) -> None:
    cells, _ = work(captioning=replace(TASK, peak=120))
    assert memory_of(cells, Place("cpu", 3)).at_once == 3 * 120 and memory_of(cells, Place("cpu", 3)).cell == 120
    gpus = Place("cuda", 0, ("0", "1"), 2)
    assert gpus.slots == 4 and memory_of(cells, gpus).at_once == 2 * 120, "two cells share a GPU"
    assert memory_of([], Place("cpu", 1)).at_once == 0


def test_disk_holds_each_stage_once_and_the_largest_checkpoints(work: Any) -> None:
    cells, _ = work()
    disk = disk_of(cells, 3)
    assert disk.weights == 2 * 1_000 + 6 * 2 * 400, "two pretrainings; six cells with two tasks each"
    assert disk.checkpoints == MEANS * (1_000 + 1_000 + 400)
    assert disk.predictions == 2 * 12 * (10 + 8) and disk.whole == disk.weights + disk.checkpoints + disk.predictions


def in_groups(cells: list[Work], **company: Any) -> list[Work]:
    """The two seeds of each row in one process."""
    rows: dict[str, list[Work]] = {}
    for one in cells:
        rows.setdefault(one.cell.row, []).append(one)
    ids = {row: tuple(one.cell.id for one in some) for row, some in rows.items()}
    return [replace(one, company=Company(ids[one.cell.row], **company)) for one in cells]


def test_steps_of_seeds_as_one_take_their_share(work: Any) -> None:
    cells, registry = work()
    alone, folded = run_of(cells, 1), in_groups(cells, together=0.5)
    run = run_of(folded, 1)
    steps = 2 * ((3 + 4 * 2) + 6 * 2 * (1 + 0.5) / 2)  # of two pretrainings, and of twelve fine-tunes
    assert alone.seconds - run.seconds == pytest.approx(steps / 2 + 6 * (7 + 3) / 2), "three starts and openings less"
    rows = {row.row: row for row in row_costs(folded, run, registry)}
    assert rows["words"].seconds["start"] == 7 and rows["words"].seconds["pretrain"] == 2 * (1.5 + 1 + 5.5 + 0.5)
    assert rows["words, blind"].said == {"pretrain": "shared"}, "group with group"
    assert sum(row.total for row in rows.values()) == pytest.approx(run.seconds)


def test_beside_other_processes_all_takes_longer(work: Any) -> None:
    cells, _ = work()
    slow = [replace(one, company=Company(stretch=2.0)) for one in cells]
    assert run_of(slow, 1).seconds == pytest.approx(2 * run_of(cells, 1).seconds - len(cells) * (7 + 3))
    wide = [replace(one, company=Company(slots=3.0)) for one in cells]
    assert run_of(wide, 3).seconds == run_of(cells, 1).seconds, "each has the GPU to itself"


def test_memory_of_processes_of_several_cells(work: Any) -> None:
    cells, _ = work()
    assert memory_of(in_groups(cells), Place("cpu", 2)).cell == 2 * 90, "no more is known"
    assert memory_of(in_groups(cells, held=100), Place("cpu", 2)).at_once == 2 * 100
