"""What company does to a cell in an estimate: seeds as one, processes beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import vlpbench.runner.company as company_room
from vlpbench.contract.launcher import Place
from vlpbench.grid import cells, open_grid
from vlpbench.runner.company import ALONE, Company, companies
from vlpbench.runner.estimate import estimate_grid
from vlpbench.runner.events import Event
from vlpbench.runner.folding import Group
from vlpbench.runner.measured import Failure, Found, Measured
from vlpbench.runner.packing import Packing
from vlpbench.runner.plan import plan_grid
from vlpbench.runner.rules import Rules
from vlpbench.runner.shapes import PRETRAIN, shape_of
from vlpbench.runner.workbench import opened_here

GPU = Place("cuda", 0, ("0",), 2)


@pytest.fixture
def told(written: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """(seconds of a step alone, steps a second of all as one, groups of (row, seeds, share)) -> companies by row."""
    file = written({"words": 'objective = "prefix-lm"', "none": 'objective = "none"'})
    read, registry = open_grid(str(file), ["seeds=[0, 1]", "floors=false"])
    there = cells(read, registry, opened_here)
    monkeypatch.setattr(company_room, "kept_packing", lambda *_: None)

    def tell(step: float, rate: float, shares: dict[str, float], packing: Packing = Packing()) -> Any:  # noqa: B008
        calls: list[str] = []

        def measure(some: Any, *_: Any) -> Packing:
            calls.append(some[0].row)
            return Packing(1, {1: rate} if rate else {}, 5)

        monkeypatch.setattr(company_room, "measure_packing", measure)
        groups = [Group(tuple(one for one in there if one.row == row), share=share) for row, share in shares.items()]
        part = Measured(step=step) if step else Failure("no")
        found = {shape_of(there[0]): Found({PRETRAIN: part})}
        made = companies(groups, found, packing, registry, GPU, Rules(), lambda event: None)
        return {group.cells[0].row: made[group.cells[1].id] for group in groups}, calls

    return tell


def test_a_step_of_all_is_compared_with_one_after_another(told: Any) -> None:
    found, calls = told(0.1, 8.0, {"words": 0.0, "none": 0.0})
    assert found["words"].together == pytest.approx(0.125 / 0.2) and found["words"].held == 5
    assert found["words"].cells == 2 and found["none"].together == 1.0 and calls == ["words"]


@pytest.mark.parametrize(("step", "rate"), [(0.0, 8.0), (0.1, 0.0)])
def test_what_could_not_be_measured_counts_as_one_after_another(told: Any, step: float, rate: float) -> None:
    found, _ = told(step, rate, {"words": 0.0})
    assert found["words"].together == 1.0


def test_who_shares_a_gpu_is_slowed_and_who_has_it_alone_is_not(told: Any) -> None:
    packing = Packing(2, {1: 10.0, 2: 16.0})
    found, _ = told(0.1, 8.0, {"words": 1 / 2, "none": 1.0}, packing)
    assert (found["words"].slots, found["words"].stretch) == (1.0, pytest.approx(1.25))
    assert (found["none"].slots, found["none"].stretch) == (2.0, 1.0)
    assert Company() == ALONE and ALONE.cells == 1


def test_an_estimate_counts_seeds_as_one(written: Any, tmp_path: Path) -> None:
    file = written({"words": 'objective = "prefix-lm"'})
    grid, registry = open_grid(str(file), ["tasks=['vqa']", "seeds=[0, 1]", "floors=false"])
    plan, heard = plan_grid(grid, registry, tmp_path / "results"), list[Event]()
    found = estimate_grid(plan, registry, Place("cpu", 2), heard.append, Rules(device="cpu", pack=True))
    assert "measuring 2 seeds of words as one" in {event.said for event in heard}
    assert found.cells == 2 and found.seconds == pytest.approx(found.busy), "one process, so nothing beside it"
    (row,) = found.rows
    one, two = found.stages.values()
    assert one == two and one["pretrain"] >= row.seconds["pretrain"] - 1
