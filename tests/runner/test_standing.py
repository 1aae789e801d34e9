"""Where cells stand, by what lies in their results: records, stages, checkpoints and claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from vlpbench.files import write_json
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.records import Claims
from vlpbench.registry import Registry, load_registry
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.earlier import asked_by, asked_in, differences
from vlpbench.runner.sharing import CLAIMS
from vlpbench.runner.stages import stages_of
from vlpbench.runner.standing import Standing, standing, standings, states
from vlpbench.runner.wanted import sharers, wanted_by
from vlpbench.runner.workbench import opened_here
from vlpbench.runner.worker import claim_name

GRID = """
schema = 1
name = "small"
floors = false
tasks = ["vqa", "retrieval@zero-shot"]
[base]
backbone = "linear/dual/nano"
objective = "contrastive"
data = "digits"
[budget]
samples = 64
batch = 16
[protocol.vqa]
samples = 32
batch = 8
[data.digits]
train = 40
val = 8
test = 8
[[rows]]
name = "first"
[[rows]]
name = "second"
"protocol.vqa.samples" = 48
[[rows]]
name = "impossible"
objective = "prefix-lm"
"""

Made = Callable[..., list[Cell]]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """(overrides) -> the cells of the grid."""

    def make(*overrides: str) -> list[Cell]:
        (tmp_path / "small.toml").write_text(GRID)
        grid, registry = open_grid(str(tmp_path / "small.toml"), overrides)
        return cells(grid, registry, opened_here)

    return make


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results" / "small"


def claims_of(results: Path) -> Claims:
    return Claims(results / CLAIMS)


def look(found: Sequence[Cell], results: Path, registry: Registry, also: str = "") -> list[Standing]:
    """Where these cells stand, in their order."""
    stands = standings(found, results, registry, claims_of(results), also)
    return [stands[cell.id] for cell in found]


def done(cell: Cell, results: Path, registry: Registry) -> None:
    folder = folder_of(cell, results)
    folder.begin(described(cell, registry))
    folder.finish({"tasks": {}}, [], {}, {"timing": {"total": 61.0}, "environment": {}})


def close(cell: Cell, results: Path, registry: Registry, label: str) -> None:
    (stage,) = [one for one in stages_of(cell, results, registry) if one.label == label]
    stage.folder.begin()
    stage.folder.weights.write_bytes(b"weights")
    stage.folder.close({})


def doing(one: Standing) -> dict[str, str]:
    return {stage.label: stage.doing for stage in one.stages}


def test_nothing_has_been_run_yet(made: Made, results: Path, registry: Registry) -> None:
    first, second, impossible = look(made(), results, registry)
    assert (first.state, first.why, first.holder) == ("pending", "", None)
    assert doing(first) == {
        "pretrain": "run", "vqa: fine-tune": "run", "vqa: predict": "run",
        "retrieval@zero-shot: fine-tune": "run", "retrieval@zero-shot: predict": "run",
    }
    assert [stage.of for stage in first.stages] == [4, 4, 0, 0, 0]
    assert impossible.state == "skipped" and "needs context" in impossible.why and impossible.stages == ()
    shared = [stage for stage in second.stages if stage.doing == "shared"]
    assert shared[0].label == "pretrain" and shared[0].cell == first.asked
    assert doing(second)["vqa: fine-tune"] == "run"
    assert not results.exists(), "looking writes nothing"


def test_a_stage_that_is_there_is_reused_and_a_checkpoint_gone_on_from(
    made: Made, results: Path, registry: Registry
) -> None:
    found = made()
    close(found[0], results, registry, "pretrain")
    (tune,) = [one for one in stages_of(found[0], results, registry) if one.label == "vqa: fine-tune"]
    write_json(tune.folder.checkpoint / "checkpoint.json", {"step": 3})
    first, second, _ = look(found, results, registry)
    assert doing(first)["pretrain"] == doing(second)["pretrain"] == "reuse"
    resumed = next(stage for stage in first.stages if stage.label == "vqa: fine-tune")
    assert (resumed.doing, resumed.step, resumed.of) == ("resume", 3, 4)
    (results / "stages" / first.stages[0].folder / "weights.safetensors").write_bytes(b"wrong")
    first, second, _ = look(found, results, registry)
    assert (doing(first)["pretrain"], doing(second)["pretrain"]) == ("run", "shared"), "damaged weights are not there"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"step": "three"}', '{"other": 1}'])
def test_a_checkpoint_that_makes_no_sense_is_none(made: Made, results: Path, registry: Registry, text: str) -> None:
    found = made()
    stage = next(iter(stages_of(found[0], results, registry)))
    stage.folder.checkpoint.mkdir(parents=True)
    (stage.folder.checkpoint / "checkpoint.json").write_text(text)
    assert doing(look(found, results, registry)[0])["pretrain"] == "run"


def test_who_runs_a_cell_and_its_stage_is_told(made: Made, results: Path, registry: Registry) -> None:
    found = made()
    name = next(iter(stages_of(found[0], results, registry))).folder.path.name
    with claims_of(results).take(claim_name(found[0])) as claim, claims_of(results).take(name):  # type: ignore[union-attr]
        claim.tell("pretrain", 2, 4, {"loss": 0.5})
        first, second, _ = look(found, results, registry)
        assert first.state == "running" and first.holder is not None and "process" in first.why
        assert (second.state, doing(second)["pretrain"]) == ("pending", "running")
    assert look(found, results, registry)[0].state == "pending", "released"


def test_a_record_says_what_it_is(made: Made, results: Path, registry: Registry) -> None:
    found = made()
    done(found[0], results, registry)
    folder = folder_of(found[1], results)
    folder.begin(described(found[1], registry))
    folder.fail("ArithmeticError: the third step", {}, {})
    first, second, _ = look(found, results, registry)
    assert (first.state, first.why, first.stages) == ("done", "", ())
    assert (second.state, second.why) == ("failed", "ArithmeticError: the third step") and second.stages
    assert doing(look(found, results, registry, found[0].id)[0])["pretrain"] == "run", "asked for although it is done"
    folder.fail("no end after 2 s", {}, {}, "timeout")
    assert standing(found[1], results, registry, claims_of(results)).state == "timeout"
    folder.forget()
    assert standing(found[1], results, registry, claims_of(results)).state == "pending"


@pytest.mark.parametrize(("break_it", "why"), [
    (lambda path: (path / "scores.json").unlink(), "scores.json is missing"),
    (lambda path: (path / "scores.json").write_text("{}"), "scores.json is not as it was written"),
    (lambda path: (path / "status.json").write_text("{}"), "status.json is not as it was written"),
])
def test_a_damaged_record_names_its_file(
    made: Made, results: Path, registry: Registry, break_it: Callable[[Path], None], why: str
) -> None:
    found = made()
    done(found[0], results, registry)
    break_it(folder_of(found[0], results).path)
    first = look(found, results, registry)[0]
    assert (first.state, first.why) == ("damaged", why)


def test_a_cell_of_other_settings_is_stale_and_says_what_differs(
    made: Made, results: Path, registry: Registry
) -> None:
    before = made()
    done(before[0], results, registry)
    first, second, _ = look(made("optim.lr=0.125"), results, registry)
    lr = before[0].settings.optim.lr
    assert (first.state, first.differs) == ("stale", (f"optim.lr was {lr}, is 0.125",))
    assert first.earlier is not None and first.earlier.folder == before[0].folder
    assert second.state == "pending", "another row has no earlier record"
    done(made("optim.lr=0.125", "optim.clip=9.0", "budget.batch=32")[0], results, registry)
    assert look(made("optim.lr=0.125", "optim.clip=9.0"), results, registry)[0].why == "budget.batch was 32, is 16"


def test_versions_and_files_are_differences_too(made: Made) -> None:
    cell = made()[0]
    other = replace(cell, versions={**cell.versions, "metrics": 999}, fingerprints={"digits": "other"})
    told = differences(asked_by(cell).deciding, asked_by(other).deciding)
    assert told == [
        f"version of metrics was {cell.versions['metrics']}, is 999", "the files of data set digits have changed",
    ]
    assert differences(asked_by(cell).deciding, asked_by(cell).deciding) == []
    (row,) = differences(asked_by(cell).deciding, asked_by(made("data.digits.train=50")[0]).deciding)
    assert row == "data.digits.train was 40, is 50", "that its files are others follows from it"


def test_the_results_alone_tell_states(made: Made, results: Path, registry: Registry) -> None:
    before, found = made(), made("optim.lr=0.125")
    done(before[0], results, registry)
    done(found[1], results, registry)
    rows = ["first", "second", "impossible"]
    told = {cell.id: {"row": cell.row, "seed": cell.seed, "reason": cell.reason} for cell in found}
    write_json(results / "grid.json", {
        "schema": 1, "name": "small", "description": "", "rows": rows, "tasks": ["vqa"], "cells": told,
    })
    asked = asked_in(results)
    assert [(one.row, one.folder) for one in asked] == [(cell.row, cell.folder) for cell in found]
    stands = states(asked, results, claims_of(results))
    assert [one.state for one in stands.values()] == ["stale", "done", "skipped"]
    assert before[0].folder in stands[found[0].id].why


def test_what_is_wanted_is_what_cells_refer_to(made: Made, results: Path, registry: Registry) -> None:
    found = made()
    shared = sharers(found, results, registry)
    names = [stage.folder.path.name for stage in stages_of(found[0], results, registry)]
    assert [one.row for one in shared[names[0]]] == ["first", "second"]
    assert [one.row for one in shared[names[1]]] == ["first"]
    asked = [asked_by(cell) for cell in found]
    wanted = wanted_by(asked, found, results, registry, claims_of(results))
    assert set(wanted.records) == {cell.folder for cell in found} and set(wanted.stages or ()) == set(shared)
    assert wanted_by(asked, (), results, None, claims_of(results)).stages is None


def test_stages_are_not_judged_while_a_cell_is_to_be_tuned(made: Made, results: Path, registry: Registry) -> None:
    found = made('tune.tries."optim.lr"=[1e-3, 3e-3]')
    first = look(found, results, registry)[0]
    assert [(stage.label, stage.of) for stage in first.stages] == [("tune", 2)]
    asked = [asked_by(cell) for cell in found]
    assert wanted_by(asked, found, results, registry, claims_of(results)).stages is None


def test_a_claim_has_one_name(made: Made) -> None:
    assert [asked_by(cell).claim for cell in made()] == [claim_name(cell) for cell in made()]
