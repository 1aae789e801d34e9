"""Which cells have one shape, and which work a cell has in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlpbench.grid import open_grid
from vlpbench.registry import Registry
from vlpbench.runner.plan import Plan, plan_grid
from vlpbench.runner.pretraining import stage_of
from vlpbench.runner.shapes import PRETRAIN, Amount, Piece, pieces_of, shape_of, shapes_of
from vlpbench.runner.stages import stages_of

ROWS = {"words": 'objective = "prefix-lm"', "none": 'objective = "none"'}
BEAMS = {"greedy": 'objective = "prefix-lm"', "beams": 'objective = "prefix-lm"\nprotocol.captioning.beams = 3'}


@pytest.fixture
def planned(written: Any, tmp_path: Path) -> Any:
    """(overrides) -> what a run of two rows would do, and the registry."""

    def plan(*overrides: str, rows: dict[str, str] = ROWS) -> tuple[Plan, Registry]:
        grid, registry = open_grid(str(written(rows)), overrides)
        return plan_grid(grid, registry, tmp_path), registry

    return plan


def pieces(planned: tuple[Plan, Registry]) -> list[Piece]:
    plan, registry = planned
    return [piece for cell in plan.chosen("run") for piece in pieces_of(cell, plan, registry)]


def test_seeds_rates_and_blindness_add_no_shape(planned: Any) -> None:
    one, many = planned("seeds=[0]"), planned("seeds=[0, 1, 2]", "floors=true")
    assert any(cell.settings.blind for cell in many[0].cells)
    assert [shape.key for shape in shapes_of(pieces(one))] == [shape.key for shape in shapes_of(pieces(many))]
    first = one[0].cells[0]
    for change in ("optim.lr=1e-5", "optim.warmup=0.5", "budget.samples=80", "protocol.vqa.samples=8", "split='val'"):
        assert shape_of(planned("seeds=[0]", change)[0].cells[0]) == shape_of(first), change


@pytest.mark.parametrize("change", ["budget.batch=4", "image.size=48", "text.length=20", "budget.micro_batch=2",
                                    "optim.clip=0.0", "data.digits.train=50", "backbone='conv2/encoder-decoder/nano'"])
def test_what_changes_the_speed_makes_a_shape(planned: Any, change: str) -> None:
    assert shape_of(planned(change)[0].cells[0]) != shape_of(planned()[0].cells[0])


def test_a_shape_has_each_task_once_for_each_of_its_protocols(planned: Any) -> None:
    words, none = shapes_of(pieces(planned("seeds=[0, 1]")))
    assert words.pretrains and not none.pretrains
    assert [part.task for part in words.parts.values()] == ["vqa", "captioning"]
    assert all(part.splits == {"test"} for part in words.parts.values())
    (words,) = shapes_of(pieces(planned(rows=BEAMS)))
    assert [part.task for part in words.parts.values()] == ["vqa", "captioning", "captioning"]


def test_pieces_are_the_stages_of_a_cell_with_how_much_they_do(planned: Any) -> None:
    plan, registry = planned("floors=false")
    for cell in plan.chosen("run"):
        found = list(pieces_of(cell, plan, registry))
        assert [piece.stage for piece in found] == [
            stage.folder.path.name for stage in stages_of(cell, plan.results, registry)
        ]
    words = list(pieces_of(plan.cells[0], plan, registry))
    assert [piece.label for piece in words] == ["pretrain", "vqa", "vqa: predict", "captioning", "captioning: predict"]
    assert [piece.column for piece in words] == ["pretrain", "vqa", "vqa", "captioning", "captioning"]
    assert words[0].part == PRETRAIN and words[0].amount == Amount(5)  # 40 samples in batches of 8
    assert words[1].amount == Amount(2) and words[2].amount == Amount(predicted=("test",))


def test_looks_and_a_choice_on_validation_are_work(planned: Any) -> None:
    plan, registry = planned("budget.looks=2", "select='validation'")
    pretrain, learn, *_ = pieces_of(plan.cells[0], plan, registry)
    assert pretrain.amount.looks == 2 and learn.amount.predicted == ("val",) * 5
    words, _ = shapes_of(pieces((plan, registry)))
    assert all(part.splits == {"test", "val"} for part in words.parts.values())


def test_what_is_there_is_done_unless_its_code_has_changed(planned: Any) -> None:
    plan, registry = planned()
    cell = plan.cells[0]
    stage = stage_of(cell, plan.results)
    assert stage is not None
    stage.path.mkdir(parents=True)
    stage.close({})
    assert [piece.label for piece in pieces_of(cell, plan, registry) if piece.done] == ["pretrain"]
    again = Plan(plan.grid, plan.results, plan.cells, plan.fates, (), [stage])
    assert not any(piece.done for piece in pieces_of(cell, again, registry))
    (shape,) = shapes_of(pieces_of(cell, plan, registry))
    assert not shape.pretrains


def test_tries_come_first_and_the_first_one_stands_for_the_choice(planned: Any) -> None:
    plan, registry = planned("seeds=[0, 1]", "tune.tries={'budget.batch'=[4, 8]}", "tune.samples=16", "floors=false")
    words = [cell for cell in plan.cells if cell.row == "words"]
    first, second = (list(pieces_of(cell, plan, registry)) for cell in words)
    labels = [f"try {number}/2: {label}" for number in (1, 2) for label in ("pretrain", "vqa", "vqa: predict")]
    assert [piece.label for piece in first[:6]] == labels and first[0].column == "tune"
    assert [piece.amount.steps for piece in first if piece.label.endswith("pretrain")] == [4, 2, 10]
    assert [piece.stage for piece in first[:6]] == [piece.stage for piece in second[:6]]
    assert first[6].stage != second[6].stage and first[6].cell.settings.budget.batch == 4
    assert {part.task for shape in shapes_of(first) for part in shape.parts.values()} == {"vqa", "captioning"}
