"""Cells that learn together leave the records of cells that learnt alone, whatever happens to one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vlpbench.device import Device
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import Claims
from vlpbench.registry import Registry
from vlpbench.runner.cell import Hands, folder_of
from vlpbench.runner.pretraining import stage_of
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stages import stages_of
from vlpbench.runner.workbench import opened_here
from vlpbench.runner.worker import DONE, FAILED, TAKEN, claim_name, live, live_together
from vlpbench.training.pace import Pace, Stopped

ROWS = {
    "good": 'objective = "good"\nbackbone = "linear/dual/nano"', "third": 'objective = "third"',
    "nan": 'objective = "nan"', "no-start": 'objective = "no-start"',
}
FEW = ("tasks=['retrieval', 'vqa']", "protocol.retrieval.samples=16", "protocol.retrieval.batch=8", "seeds=[0, 1, 2]")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="module")
def file(written: Any) -> Path:
    return written(ROWS)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def registry(file: Path) -> Registry:
    return open_grid(str(file), FEW)[1]


@pytest.fixture
def of_row(file: Path, registry: Registry) -> Any:
    found = cells(open_grid(str(file), FEW)[0], registry, opened_here)
    return lambda row: [cell for cell in found if cell.row == row]


@pytest.fixture
def hands(registry: Registry) -> Hands:
    return Hands(registry, Device("cpu"))


def scores(cell: Cell, results: Path) -> dict[str, Any]:
    return folder_of(cell, results).read("scores.json")


def losses(cell: Cell, results: Path) -> list[float]:
    lines = (folder_of(cell, results).path / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["loss"] for line in lines]


def test_records_are_those_of_cells_alone(of_row: Any, hands: Hands, tmp_path: Path) -> None:
    seeds, heard = of_row("good"), list[tuple[str, str]]()

    def hands_of(cell: Cell) -> Hands:
        return replace(hands, hearing=lambda stage, *rest: heard.append((cell.id, stage)))

    assert live_together(seeds, tmp_path / "together", hands_of) == [DONE] * 3
    for cell in seeds:
        assert live(cell, tmp_path / "alone", hands) == DONE
        both = [scores(cell, tmp_path / where) for where in ("together", "alone")]
        assert both[0]["cost"] == both[1]["cost"] and both[0]["left_out"] == both[1]["left_out"]
        for one in both:
            assert one["tasks"].keys() == {"retrieval", "vqa"}
        mine, its = (losses(cell, tmp_path / where) for where in ("together", "alone"))
        assert mine == pytest.approx(its, rel=1e-2), "the last bits differ, and a few steps make them no larger"
        assert {stage for who, stage in heard if who == cell.id} >= {"pretrain", "retrieval", "vqa"}
        told = folder_of(cell, tmp_path / "together").read("timing.json")["seconds"]
        stage = stage_of(cell, tmp_path / "together")
        assert stage is not None and stage.facts()["together"] == 3
        assert told["pretrain"] > 0 and told["pretrain"] >= 0.9 * stage.facts()["seconds"]
    assert Claims(tmp_path / "together" / CLAIMS).all() == {}


@pytest.mark.parametrize(
    ("row", "cause"), [("third", "the third step"), ("nan", "not finite"), ("no-start", "no start today")]
)
def test_what_fails_is_recorded_for_each(
    of_row: Any, hands: Hands, tmp_path: Path, row: str, cause: str, capfd: pytest.CaptureFixture[str]
) -> None:
    seeds = of_row(row)[:2]
    assert live_together(seeds, tmp_path, lambda cell: hands) == [FAILED, FAILED]
    for cell in seeds:
        assert cause in folder_of(cell, tmp_path).status()["cause"]
    if row != "nan":
        assert "the seeds go on alone" in capfd.readouterr().err


def test_one_that_another_process_has_is_left_to_it(of_row: Any, hands: Hands, tmp_path: Path) -> None:
    seeds = of_row("good")
    claim = Claims(tmp_path / CLAIMS).take(claim_name(seeds[1]))
    assert claim is not None
    with claim:
        assert live_together(seeds, tmp_path, lambda cell: hands) == [DONE, TAKEN, DONE]
    assert folder_of(seeds[1], tmp_path).state() == "pending"


def test_stopped_together_and_gone_on_with(of_row: Any, hands: Hands, registry: Registry, tmp_path: Path) -> None:
    """Each keeps a checkpoint of the step; what has a record by then is left alone."""
    seeds, looks = of_row("good"), iter([False] * 4 + [True] * 99)
    stopping = replace(hands, pace=Pace(stop=lambda: next(looks)))
    with pytest.raises(Stopped):
        live_together(seeds, tmp_path, lambda cell: stopping)
    for cell in seeds:
        stage = stage_of(cell, tmp_path)
        assert stage is not None and not stage.closed and list(stage.checkpoint.glob("step-*.safetensors"))
        assert folder_of(cell, tmp_path).state() == "pending"
    assert live(seeds[0], tmp_path, hands) == DONE
    written = (folder_of(seeds[0], tmp_path).path / "status.json").stat().st_mtime_ns
    assert live_together(seeds, tmp_path, lambda cell: hands) == [DONE] * 3
    assert (folder_of(seeds[0], tmp_path).path / "status.json").stat().st_mtime_ns == written
    for cell in seeds:
        assert all(one.folder.closed for one in stages_of(cell, tmp_path, registry))
