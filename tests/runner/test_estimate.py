"""A real estimate of a small grid: what it says, what it leaves alone, and that it can be kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vlpbench.contract.launcher import Place
from vlpbench.grid import open_grid
from vlpbench.runner.estimate import Estimate, estimate_grid, from_plain, to_plain
from vlpbench.runner.events import Event
from vlpbench.runner.plan import Plan, plan_grid


@pytest.fixture(scope="module")
def made(written: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Estimate, list[Event]]:
    """Of two rows, one of which cannot start."""
    file = written({"plain": 'objective = "none"', "bad": 'objective = "no-start"\nbackbone = "linear/dual/nano"'})
    results, heard = tmp_path_factory.mktemp("estimated"), list[Event]()
    grid, registry = open_grid(str(file), ["tasks=['vqa']", "seeds=[0, 1]", "floors=false"])
    plan = plan_grid(grid, registry, results)
    return plan, estimate_grid(plan, registry, Place("cpu", 2), heard.append), heard


def test_it_says_what_each_row_costs(made: Any) -> None:
    plan, estimate, _ = made
    plain, bad = estimate.rows
    assert (plain.row, plain.cells, bad.row, bad.cells, estimate.cells) == ("plain", 2, "bad", 2, 4)
    assert set(plain.seconds) == {"start", "vqa"} and min(plain.seconds.values()) > 0 and not plain.said
    assert bad.said["pretrain"].endswith("LookupError: no start today") and "vqa" not in bad.seconds
    assert 0 < estimate.seconds < estimate.busy, "two at once"
    assert set(estimate.stages) == {cell.id for cell in plan.cells}
    assert set(estimate.stages[plan.cells[0].id]) == {"vqa", "vqa: predict"}


def test_it_says_what_is_needed_and_what_is_there(made: Any) -> None:
    _, estimate, _ = made
    assert 0 < estimate.memory.cell < estimate.memory.at_once < estimate.there_bytes
    assert estimate.disk.weights > 2 * 100_000 and estimate.disk.checkpoints > estimate.disk.weights
    assert 0 < estimate.disk.predictions < 1e6 and estimate.free_bytes > 0


def test_nothing_is_left_in_the_results_and_progress_is_heard(made: Any) -> None:
    plan, _, heard = made
    assert not plan.results.exists()
    said = [(event.said, event.done, event.of) for event in heard if event.said.startswith("measuring")]
    assert said == [("measuring plain", 0, 2), ("measuring bad", 1, 2)]


def test_it_can_be_kept_as_json(made: Any) -> None:
    _, estimate, _ = made
    assert from_plain(json.loads(json.dumps(to_plain(estimate)))) == estimate
    with pytest.raises((KeyError, TypeError)):
        from_plain({"rows": [], "grid": "other"})


def test_where_nothing_is_to_be_run_nothing_is_measured(made: Any) -> None:
    plan = made[0]
    registry = open_grid(str(plan.grid.path))[1]
    nothing = estimate_grid(plan.only([]), registry, Place("cpu", 2), lambda event: pytest.fail(event.said))
    assert (nothing.seconds, nothing.cells, list(nothing.rows), nothing.disk.whole) == (0.0, 0, [], 0)
