"""Real measuring in a process of its own: of what goes well, of what raises, dies and hangs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlpbench.device import Device
from vlpbench.grid import open_grid
from vlpbench.runner.grid_run import prepare
from vlpbench.runner.measured import Failure, Found, Measured
from vlpbench.runner.measured_shapes import measure_shape
from vlpbench.runner.plan import plan_grid
from vlpbench.runner.shapes import PRETRAIN, pieces_of, shapes_of

HANGS = """
import time
class Hangs(Good):
    name = "hangs"
    @staticmethod
    def corrupt(batch, rng, config):
        time.sleep(1000)

@hookimpl
def vlpbench_objectives():
    return [Good, NoStart, Third, Nan, Exits, Misshapen, Hangs]
"""


@pytest.fixture
def measured(written: Any, tmp_path: Path) -> Any:
    """(changes of a row, overrides, limits) -> what was found of its only shape."""

    def measure(
        changes: str, *overrides: str, limits: tuple[float, float] = (120, 60), pretrains: bool = True
    ) -> Found:
        file = written({"one": changes})
        plugin = file.parent / "failing.py"
        plugin.write_text(plugin.read_text().rpartition("@hookimpl")[0].rpartition("@hookimpl")[0] + HANGS)
        grid, registry = open_grid(str(file), ["floors=false", *overrides])
        plan = plan_grid(grid, registry, tmp_path)
        prepare(plan.cells, registry, Device("cpu"), lambda event: None)
        (shape,) = shapes_of(pieces_of(plan.cells[0], plan, registry))
        shape.pretrains = shape.pretrains and pretrains
        found = measure_shape(shape, registry, Device("cpu"), limits=limits)
        assert not list(tmp_path.iterdir()), "nothing is left in the results"
        return found

    return measure


def test_each_part_of_a_shape_is_measured(measured: Any) -> None:
    found = measured('objective = "prefix-lm"', "tasks=['vqa', 'retrieval']", "protocol.retrieval.samples=16")
    _, _, pretrain, vqa, retrieval = found.parts.values()
    assert list(found.parts)[:3] == ["start", "open", PRETRAIN]
    assert found.seconds("start") > 0 and found.seconds("open") > 0
    for part in (pretrain, vqa, retrieval):
        assert isinstance(part, Measured), part
        assert part.step > 0 and part.first > 0 and part.build > 0 and part.keep > 0
        assert part.weights > 100_000 and part.peak > 50_000_000
    assert pretrain.asked.at(10) == 0
    assert vqa.examples == {"test": 10} and vqa.asked.at(10) > 0 and vqa.rows.at(10) > 100


def test_a_head_of_pretraining_is_asked_also_where_pretraining_is_there_already(measured: Any) -> None:
    changes = 'objective = "image-text-matching"\nbackbone = "linear/dual-fusion/nano"'
    found = measured(changes, "tasks=['retrieval@match@zero-shot']", pretrains=False)
    (asked,) = (part for name, part in found.parts.items() if name.startswith("retrieval"))
    assert PRETRAIN not in found.parts
    assert isinstance(asked, Measured) and asked.asked.at(10) > 0, asked


def test_what_raises_is_a_sentence_and_the_end(measured: Any) -> None:
    found = measured('objective = "no-start"\nbackbone = "linear/dual/nano"')
    failure = found.parts[PRETRAIN]
    assert isinstance(failure, Failure) and failure.said.startswith("fails after ")
    assert failure.said.endswith("s: LookupError: no start today")
    assert list(found.parts) == ["start", "open", PRETRAIN] and found.part("vqa-123456") == failure


def test_what_ends_its_process_is_a_sentence(measured: Any) -> None:
    found = measured('objective = "exits"\nbackbone = "linear/dual/nano"', "budget.samples=16")
    assert "ends without a word (exit code 7)" in found.parts[PRETRAIN].said


def test_what_hangs_is_ended(measured: Any) -> None:
    found = measured('objective = "hangs"\nbackbone = "linear/dual/nano"', limits=(120, 1.5))
    assert found.parts[PRETRAIN] == Failure("does not finish within 2 s", 1.5)
