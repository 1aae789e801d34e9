"""What a run would do: what is there, what is missing, and what was made by code that has changed since."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from vlpbench.config.gridfile import GridFile
from vlpbench.grid import Cell, cells, open_grid
from vlpbench.registry import Registry
from vlpbench.runner.cell import described, folder_of
from vlpbench.runner.plan import OnCodeChange, Plan, plan_grid
from vlpbench.runner.stages import Stage, stages_of
from vlpbench.runner.workbench import opened_here

ROWS = {
    "words": 'objective = "prefix-lm"',
    "towers": 'objective = "good"\nbackbone = "linear/dual/nano"',
    "impossible": 'objective = "prefix-lm"\nbackbone = "linear/dual/nano"',
}


class Ground:
    """A grid whose cells and stages are written down without being run."""

    def __init__(self, file: Path, results: Path) -> None:
        self.grid, self.registry = self.opened = open_grid(str(file))
        self.results = results
        self.cells: Mapping[str, Cell] = {one.row: one for one in cells(self.grid, self.registry, opened_here)}

    @property
    def folder(self) -> Path:
        return self.results / "mixed"

    def plan(self, on_code_change: OnCodeChange = "warn", retry: bool = False) -> Plan:
        return plan_grid(self.grid, self.registry, self.results, retry, on_code_change)

    def rows(self, plan: Plan, what: Any) -> list[str]:
        return [cell.row for cell in plan.chosen(what)]

    def done(self, row: str, **code: str) -> None:
        """A finished record, by code that was other in these components; a code of "" was not recorded."""
        cell = self.cells[row]
        said = {name.replace("_", "/"): value for name, value in code.items()}
        recorded = {name: value for name, value in {**cell.code, **said}.items() if value}
        folder = folder_of(cell, self.folder)
        folder.begin(described(dataclasses.replace(cell, code=recorded), self.registry))
        folder.finish({"tasks": {}}, [], {}, {})

    def failed(self, row: str, state: Any = "failed") -> None:
        folder = folder_of(self.cells[row], self.folder)
        folder.begin(described(self.cells[row], self.registry))
        folder.fail("not today", {}, {}, state)

    def stages(self, row: str) -> dict[str, Stage]:
        return {stage.label: stage for stage in stages_of(self.cells[row], self.folder, self.registry)}

    def made(self, row: str, label: str, **code: str) -> Stage:
        """A closed stage, by code that was other in these components."""
        stage = self.stages(row)[label]
        said = {name.replace("_", "/"): value for name, value in code.items()}
        stage.folder.begin()
        stage.folder.close({}, code={**stage.folder.made_by, **said})
        return stage


@pytest.fixture(scope="module")
def file(written: Any) -> Path:
    return written(ROWS)  # type: ignore[no-any-return]


@pytest.fixture
def ground(file: Path, tmp_path: Path) -> Ground:
    return Ground(file, tmp_path)


def test_before_the_first_run_all_that_can_be_run_is(ground: Ground) -> None:
    plan = ground.plan("rerun")
    assert ground.rows(plan, "run") == ["words", "towers", "words, blind"]
    assert ground.rows(plan, "skip") == ["impossible"]
    assert (plan.warnings, plan.outdated, plan.results) == ((), (), ground.folder)
    assert not ground.folder.exists(), "looking leaves nothing"


@pytest.mark.parametrize("state", ["failed", "timeout"])
def test_what_is_done_stays_done_and_what_failed_waits_to_be_asked_for(ground: Ground, state: str) -> None:
    ground.done("words")
    ground.failed("towers", state)
    plan = ground.plan()
    assert (ground.rows(plan, "done"), ground.rows(plan, "failed")) == (["words"], ["towers"])
    assert ground.rows(plan, "run") == ["words, blind"] and plan.warnings == []
    assert ground.rows(ground.plan(retry=True), "run") == ["towers", "words, blind"]


def test_a_record_that_is_half_there_counts_as_none(ground: Ground) -> None:
    ground.done("words")
    (folder_of(ground.cells["words"], ground.folder).path / "scores.json").unlink()
    folder_of(ground.cells["towers"], ground.folder).begin(described(ground.cells["towers"], ground.registry))
    assert ground.rows(ground.plan(), "run") == ["words", "towers", "words, blind"]


def test_only_the_cells_that_are_named_run_and_nothing_else_changes(ground: Ground) -> None:
    ground.done("words")
    plan = ground.plan()
    named = plan.only({ground.cells["towers"].id, ground.cells["words"].id, ground.cells["impossible"].id})
    assert ground.rows(named, "run") == ["towers"]
    assert ground.rows(named, "done") == ["words"] and ground.rows(named, "skip") == ["impossible"]
    assert named.cells == plan.cells and set(named.fates) == set(plan.fates), "all stand in the grid's own file"
    assert ground.rows(plan, "run") == ["towers", "words, blind"], "the plan itself is as it was"
    assert ground.rows(plan.only(()), "run") == []


CHANGED: Sequence[tuple[OnCodeChange, bool, bool]] = [
    ("warn", True, False), ("rerun", False, True), ("ignore", False, False),
]
"""What is asked for, whether it warns, whether it runs again."""


@pytest.mark.parametrize(("asked", "warns", "runs"), CHANGED)
def test_a_record_of_other_code(ground: Ground, asked: OnCodeChange, warns: bool, runs: bool) -> None:
    ground.done("words", vlpbench_training="as it was")
    ground.done("towers")
    plan = ground.plan(asked)
    assert ground.rows(plan, "run") == (["words", "words, blind"] if runs else ["words, blind"])
    assert ("towers" in ground.rows(plan, "done")) and bool(plan.warnings) == warns
    if warns:
        (said,) = plan.warnings
        assert said.startswith("vlpbench/training was changed since cell 'words' was run, but the versions")
        assert "--on-code-change rerun" in said


@pytest.mark.parametrize(("asked", "warns", "runs"), CHANGED)
def test_a_stage_of_other_code(ground: Ground, asked: OnCodeChange, warns: bool, runs: bool) -> None:
    """Two cells would begin from it: one warning names both, and it is outdated once."""
    stage = ground.made("words", "pretrain", vlpbench_training="as it was")
    ground.made("words", "vqa: fine-tune")
    plan = ground.plan(asked)
    assert ground.rows(plan, "run") == ["words", "towers", "words, blind"]
    assert list(plan.outdated) == ([stage.folder] if runs else [])
    assert [said.partition(", but")[0] for said in plan.warnings] == (
        ["vlpbench/training was changed since cell 'words', cell 'words, blind' were run"] if warns else []
    )
    assert stage.folder.closed, "a plan changes nothing"


def test_a_stage_that_nobody_needs_is_nobodys_business(ground: Ground) -> None:
    ground.made("towers", "pretrain", vlpbench_training="as it was")
    ground.done("towers")
    assert (ground.plan().warnings, ground.plan("rerun").outdated) == ([], [])
    assert ground.rows(ground.plan("rerun"), "run") == ["words", "words, blind"]


def test_a_cell_that_runs_again_makes_its_outdated_stages_again_and_keeps_the_others(ground: Ground) -> None:
    """Of a changed room of tasks the pretraining does not know."""
    ground.done("words", vlpbench_tasks="as it was")
    pretraining = ground.made("words", "pretrain")
    old = [ground.made("words", f"vqa: {stage}", vlpbench_tasks="as it was") for stage in ("fine-tune", "predict")]
    plan = ground.plan("rerun")
    assert ground.rows(plan, "run")[0] == "words"
    assert list(plan.outdated) == [stage.folder for stage in old] and pretraining.folder not in plan.outdated


def test_metrics_that_have_changed_make_no_model_again(ground: Ground) -> None:
    ground.done("words", vlpbench_metrics="as it was")
    models = [ground.made("words", label, vlpbench_metrics="as it was") for label in ("pretrain", "vqa: fine-tune")]
    plan = ground.plan("rerun")
    assert "words" in ground.rows(plan, "run") and plan.outdated == []
    assert all(stage.folder.closed for stage in models)


def test_records_and_stages_of_before_code_was_kept_say_nothing(ground: Ground) -> None:
    ground.done("towers", **dict.fromkeys(ground.cells["towers"].code, ""))
    stage = ground.stages("words")["pretrain"]
    dataclasses.replace(stage.folder, made_by={}).begin()
    dataclasses.replace(stage.folder, made_by={}).close({})
    plan = ground.plan("rerun")
    assert ground.rows(plan, "done") == ["towers"] and plan.outdated == [] and ground.plan().warnings == []


def test_a_component_that_changed_is_named_with_its_version(ground: Ground) -> None:
    code = {"objective good": "as it was"}
    ground.done("towers", **code)
    (said,) = ground.plan().warnings
    assert said.startswith("objective 'good' was changed since cell 'towers' was run, but still says version 1")


def test_code_of_a_plugin_that_is_edited_is_seen(written: Any, tmp_path: Path) -> None:
    """As it really happens: a record, then another line in the plugin's file."""
    mine = written({"towers": ROWS["towers"]})
    ground = Ground(mine, tmp_path)
    ground.done("towers")
    assert ground.plan().warnings == []
    plugin = mine.parent / "failing.py"
    plugin.write_text(plugin.read_text().replace("1 - features", "2 - features"))
    after = Ground(mine, tmp_path)
    assert after.cells["towers"].id == ground.cells["towers"].id, "versions are part of it, code is not"
    assert "objective 'good' was changed since cell 'towers' was run" in after.plan().warnings[0]
    assert after.rows(after.plan("rerun"), "run") == ["towers", "towers, blind"]


def test_an_opened_grid_is_what_is_planned(ground: Ground) -> None:
    opened: tuple[GridFile, Registry] = ground.opened
    assert ground.plan().grid is opened[0]
