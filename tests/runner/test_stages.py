"""What decides each stage of a cell, and what does not: one table; and which stages a cell has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from vlpbench.grid import Cell, cells, open_grid
from vlpbench.runner.stages import next_shared, predict_of, stages_of
from vlpbench.runner.workbench import opened_here

GRID = """
schema = 1
name = "keys"
floors = false
tasks = ["vqa", "captioning", "retrieval@zero-shot", "classification@probe"]
[base]
backbone = "linear/encoder-decoder/nano"
objective = "contrastive + prefix-lm"
data = "digits"
[budget]
samples = 40
batch = 8
[protocol.captioning]
beams = 2
[protocol."classification@probe"]
data = "named"
[data.digits]
train = 40
val = 10
test = 10
[data.named]
kind = "digits"
train = 30
[[rows]]
name = "both"
[[rows]]
name = "towers"
objective = "contrastive"
backbone = "linear/dual/nano"
[[rows]]
name = "none"
objective = "none"
"""
TRIES = "tune.tries={'optim.lr' = [1e-3, 1e-2]}"

Found = tuple[list[Cell], Any]
Read = Callable[..., Found]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """(overrides) -> the rows' cells, and the registry."""
    file = tmp_path_factory.mktemp("keys") / "keys.toml"
    file.write_text(GRID)

    def cells_of(*overrides: str) -> Found:
        grid, registry = open_grid(str(file), overrides)
        return cells(grid, registry, opened_here), registry

    return cells_of


def keys(cell: Cell, registry: Any, results: Path = Path("nowhere")) -> dict[str, str]:
    """Label of each stage -> its key."""
    return {stage.label: stage.folder.path.name for stage in stages_of(cell, results, registry)}


def test_the_stages_of_a_cell_in_order(read: Read) -> None:
    (both, towers, none), registry = read()
    each = [f"{task}: {stage}" for task in both.settings.tasks for stage in ("fine-tune", "predict")]
    assert list(keys(both, registry)) == ["pretrain", *each]
    assert list(keys(none, registry)) == [one for one in each if not one.startswith("retrieval")], "vectors: untrained"
    assert [one for one in keys(towers, registry) if "captioning" in one] == [], "n/a: needs decode"
    assert all(key.partition("-")[0] in ("pretrain", "fine", "predict") for key in keys(both, registry).values())
    assert len(set(keys(both, registry).values())) == 9, "no two are one"


ALL = ("pretrain", "fine-tune", "predict")
LEARNT = ("fine-tune", "predict")
TASKS = ("vqa", "captioning", "retrieval@zero-shot", "classification@probe")


def those(stages: tuple[str, ...], *tasks: str) -> set[str]:
    """Labels: these stages of these tasks, and pretraining where it is among them."""
    found = {f"{task}: {stage}" for task in tasks or TASKS for stage in stages if stage != "pretrain"}
    return found | ({"pretrain"} if "pretrain" in stages else set())


@pytest.mark.parametrize(
    ("override", "others"),
    [
        ("seeds=[1]", those(ALL)), ("optim.lr=0.5", those(ALL)), ("budget.samples=48", those(ALL)),
        ("image.size=64", those(ALL)), ("text.length=20", those(ALL)), ("data.digits.noise=0", those(ALL)),
        ("objective.prefix-lm.shortest=2", those(ALL)), ("on_bad_sample=skip", those(ALL)),
        ("select=validation", those(LEARNT)), ("blind=true", those(LEARNT)),
        ("protocol.vqa.lr=0.5", those(LEARNT, "vqa")), ("protocol.vqa.samples=80", those(LEARNT, "vqa")),
        ("protocol.captioning.batch=8", those(LEARNT, "captioning")),
        ("protocol.captioning.prompt=a picture of", those(LEARNT, "captioning")),
        ("protocol.captioning.beams=3", those(("predict",), "captioning")),
        ("protocol.captioning.no_repeat=2", those(("predict",), "captioning")),
        ("protocol.captioning.length_penalty=1", those(("predict",), "captioning")),
        ("protocol.retrieval.folds=2", those(("predict",), "retrieval@zero-shot")),
        ("protocol.retrieval.shortlist=4", those(("predict",), "retrieval@zero-shot")),
        ("protocol.captioning.metrics=['CIDEr']", set()),
        ("tasks=['vqa', 'captioning', 'retrieval@zero-shot', 'classification@probe', 'retrieval']", set()),
        ("reference=towers", set()),
        ("tune.samples=80", set()),
    ],
)
def test_which_setting_decides_which_stages(read: Read, override: str, others: set[str]) -> None:
    (before, *_), registry = read()
    (after, *_), _ = read(override)
    was, now = keys(before, registry), keys(after, registry)
    assert {label for label in was if was[label] != now.get(label)} == others


def test_the_split_that_is_scored_decides_predictions_and_what_a_probe_is_fitted_to(read: Read) -> None:
    """A fine-tune never sees it; a probe may be fitted to validation, where that is not what is scored."""
    (before, *_), registry = read()
    (after, *_), _ = read("split=val")
    was, now = keys(before, registry), keys(after, registry)
    assert {one for one in was if was[one] != now[one]} == those(("predict",)) | {"classification@probe: fine-tune"}


@pytest.mark.parametrize(
    "override", ["protocol.captioning.beams=3", "protocol.captioning.metrics=['CIDEr']"]
)
def test_how_a_model_is_asked_decides_weights_that_are_chosen_by_it(read: Read, override: str) -> None:
    (before, *_), registry = read("select=validation")
    (after, *_), _ = read("select=validation", override)
    was, now = keys(before, registry), keys(after, registry)
    assert {one for one in was if was[one] != now[one]} == those(LEARNT, "captioning")


@pytest.mark.parametrize(
    ("select", "changes", "others"),
    [
        ("last", {"versions": {"metrics": 99}}, set()),
        ("validation", {"versions": {"metrics": 99}}, those(LEARNT)),
        ("last", {"versions": {"stem": 99}}, those(ALL)),
        ("last", {"versions": {"objective contrastive": 99}}, those(ALL)),
        ("last", {"fingerprints": {"digits": "other pictures"}}, those(ALL)),
        ("last", {"fingerprints": {"init.stem": "other weights"}}, those(ALL)),
        ("validation", {"code": {"vlpbench/training": "edited", "objective contrastive": "edited"}}, set()),
    ],
)
def test_versions_and_data_decide_and_code_does_not(
    read: Read, select: str, changes: Mapping[str, Mapping[str, Any]], others: set[str]
) -> None:
    """Code that was changed under the same version is warned of: see the plan."""
    (cell, *_), registry = read(f"select={select}")
    changed: dict[str, Any] = {name: {**getattr(cell, name), **said} for name, said in changes.items()}
    after = dataclasses.replace(cell, **changed)
    was, now = keys(cell, registry), keys(after, registry)
    assert {one for one in was if was[one] != now[one]} == others


def test_each_stage_says_which_code_makes_it(read: Read) -> None:
    (cell, *_), registry = read()
    by_label = {stage.label: set(stage.folder.made_by) for stage in stages_of(cell, Path("nowhere"), registry)}
    assert by_label["pretrain"] == set(cell.code) - {"vlpbench/tasks", "vlpbench/metrics"}
    assert by_label["vqa: fine-tune"] == set(cell.code) - {"vlpbench/metrics"}
    assert by_label["vqa: predict"] == set(cell.code)


def test_rows_that_are_asked_alike_share_nothing_that_was_learnt_otherwise(read: Read) -> None:
    found, registry = read()
    both, towers, none = (keys(cell, registry) for cell in found)
    assert not set(both.values()) & set(towers.values()) and not set(both.values()) & set(none.values())


def test_a_cell_of_two_grids_or_two_rows_is_kept_in_the_same_stages(read: Read, tmp_path: Path) -> None:
    (cell, *_), registry = read()
    other = dataclasses.replace(cell, grid="other", row="renamed", published={"vqa.accuracy": 1.0}, id="0" * 12)
    assert keys(cell, registry) == keys(other, registry)
    assert predict_of(cell, "vqa", tmp_path).path.parent == tmp_path / "stages"


def test_as_long_as_a_cell_is_to_be_tuned_the_rest_is_not_known(read: Read, tmp_path: Path) -> None:
    (cell, *_), registry = read(TRIES)
    assert list(keys(cell, registry, tmp_path)) == ["tune"]
    tuning = next_shared(cell, tmp_path, registry)
    assert tuning is not None and tuning.path.name.startswith("tune-")
    tuning.begin()
    assert list(keys(cell, registry, tmp_path)) == ["tune"], "somebody has begun it"
    tuning.close({"choice": {"optim.lr": 1e-2}, "tried": []})
    after = keys(cell, registry, tmp_path)
    (chosen, *_), _ = read("optim.lr=1e-2")
    assert {label: key for label, key in after.items() if label != "tune"} == keys(chosen, registry), (
        "what was chosen is pretrained as if it had been typed"
    )


@pytest.mark.parametrize(
    ("override", "same"),
    [("seeds=[1]", True), ("blind=true", True), ("split=val", True), ("protocol.captioning.lr=0.5", True),
     ("protocol.vqa.lr=0.5", False), ("tune.samples=80", False), ("optim.clip=0.5", False)],
)
def test_what_a_tuning_is_shared_by(read: Read, override: str, same: bool) -> None:
    (first, *_), registry = read(TRIES, "tune.task=vqa")
    (second, *_), _ = read(TRIES, "tune.task=vqa", override)
    assert (keys(first, registry) == keys(second, registry)) == same


def test_the_next_stage_that_others_may_wait_for(read: Read, tmp_path: Path) -> None:
    (both, _, none), registry = read(TRIES)
    for stage in ("tune", "pretrain"):
        found = next_shared(both, tmp_path, registry)
        assert found is not None and found.path.name.startswith(f"{stage}-")
        found.begin()
        found.close({"choice": {"optim.lr": 1e-3}, "tried": []})
    assert next_shared(both, tmp_path, registry) is None, "fine-tunes are its own"
    (_, _, none), _ = read()
    assert next_shared(none, tmp_path, registry) is None
