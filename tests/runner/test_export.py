"""A cell taken along gives the model back in another folder, with nothing of its results left: the very same values."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

import vlpbench
from vlpbench.errors import UserError
from vlpbench.records import CellFolder
from vlpbench.runner.export import export_cell, load_cell
from vlpbench.runner.finished import Finished


@dataclass(frozen=True)
class Taken:
    """A cell's record, and the folder it was exported to."""

    scores: dict[str, Any]
    folder: Path


FEW = ("tasks=['captioning', 'retrieval']",)
OVERRIDES: dict[str, tuple[str, tuple[str, ...]]] = {
    "words": ("words", ()),
    "single": ("single", ()),
    "none": ("none", ()),
    "pairs": ("pairs", ()),
    "tuned": ("words", (*FEW, 'tune.tries={"optim.lr"=[1e-4, 1e-2], "image.size"=[24, 32]}',
                        "tune.task=retrieval", "tune.samples=16")),
    "started": ("words", (*FEW, "init.checkpoint='CHECKPOINT'", "seeds=[1]")),
    "started, none": ("none", (*FEW, "init.checkpoint='CHECKPOINT'", "seeds=[1]")),
    "validation": ("words", ("tasks=['retrieval']", "select=validation", "split=val")),
    "blind": ("words", ("tasks=['vqa']", "blind=true")),
}


@pytest.fixture(scope="module")
def taken(short: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Taken]:
    """(name) -> a cell that was exported and moved, with its results and what it started from gone."""
    made: dict[str, Taken] = {}

    def make(name: str) -> Taken:
        if name not in made:
            row, said = OVERRIDES[name]
            folder = tmp_path_factory.mktemp("taken")
            if any("CHECKPOINT" in one for one in said):
                shutil.copytree(make("words").folder, folder / "checkpoint")
            said = tuple(one.replace("CHECKPOINT", str(folder / "checkpoint")) for one in said)
            short.run(row, *said, results=folder / "results")
            (cell,) = (folder / "results" / "cells").iterdir()
            scores = CellFolder(cell).read("scores.json")
            export_cell(load_cell(cell, "cpu"), folder / "new" / "exported")
            (folder / "new" / "exported").rename(folder / "elsewhere")
            shutil.rmtree(folder / "results")
            shutil.rmtree(folder / "checkpoint", ignore_errors=True)
            made[name] = Taken(scores, folder / "elsewhere")
        return made[name]

    return make


@pytest.mark.parametrize("name", OVERRIDES)
def test_the_same_values_elsewhere(taken: Callable[[str], Taken], name: str) -> None:
    one = taken(name)
    model = vlpbench.load_cell(one.folder, "cpu")
    scored = {task: said for task, said in one.scores["tasks"].items() if "values" in said}
    assert set(model.tasks) == set(scored)
    for task, said in scored.items():
        found = model.evaluate(task)
        assert found.values == said["values"], task
        assert found.floors == said["floors"] and found.examples == said["examples"]


def test_what_was_started_from_is_in_it(taken: Callable[[str], Taken]) -> None:
    words = load_cell(taken("words").folder, "cpu").pretrained.weights
    started = load_cell(taken("started, none").folder, "cpu").pretrained.weights
    assert started and all(torch.equal(value, words[name]) for name, value in started.items())
    assert load_cell(taken("none").folder, "cpu").pretrained.weights == {}


def test_a_tuned_cell_is_the_one_that_was_run(taken: Callable[[str], Taken]) -> None:
    one = taken("tuned")
    choice = one.scores["tuned"]["choice"]
    settings = load_cell(one.folder, "cpu").bench.settings
    assert (settings.optim.lr, settings.image.size) == (choice["optim.lr"], choice["image.size"])


def test_from_results_and_from_an_export_it_is_one_model(short: Any, taken: Callable[[str], Taken]) -> None:
    here, there = load_cell(short.run("pairs").path, "cpu"), load_cell(taken("pairs").folder, "cpu")
    for one, other in (
        (here.backbone, there.backbone), (here.model("vqa"), there.model("vqa")),
        (here.model("retrieval@match@zero-shot"), there.model("retrieval@match@zero-shot")),
    ):
        assert not one.training and one.state_dict().keys() == other.state_dict().keys()
        assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
    assert repr(there) == repr(here)
    assert here.tokenizer.digest == there.tokenizer.digest


def test_an_exported_cell_can_be_exported(taken: Callable[[str], Taken], tmp_path: Path) -> None:
    first = taken("words").folder
    export_cell(load_cell(first, "cpu"), tmp_path / "again")
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*")
                           if path.is_file())
    assert all((first / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in files)


def test_it_is_written_to_a_new_or_empty_folder_alone(taken: Callable[[str], Taken], tmp_path: Path) -> None:
    model = load_cell(taken("none").folder, "cpu")
    (tmp_path / "empty").mkdir()
    export_cell(model, tmp_path / "empty")
    assert load_cell(tmp_path / "empty", "cpu").tasks == model.tasks
    (tmp_path / "file").write_text("mine")
    for there in (tmp_path / "empty", tmp_path / "file"):
        with pytest.raises(UserError, match="is there already") as caught:
            export_cell(model, there)
        assert "new folder" in caught.value.remedy
    assert (tmp_path / "file").read_text() == "mine"


@pytest.fixture
def damaged(taken: Callable[[str], Taken], tmp_path: Path) -> Path:
    """A copy of an exported cell, to be damaged."""
    shutil.copytree(taken("words").folder, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"schema": 9}, "layout 9, known is 1"),
        ({"settings": {"budget": {"samples": "many"}}}, "cannot be read"),
        ({"settings": None}, "cannot be read"),
    ],
)
def test_a_note_that_cannot_be_read(damaged: Path, change: dict[str, Any], cause: str) -> None:
    note = json.loads((damaged / "exported.json").read_text())
    (damaged / "exported.json").write_text(json.dumps(note | change))
    with pytest.raises(UserError, match=cause):
        load_cell(damaged, "cpu")


def test_cut_short(damaged: Path) -> None:
    (damaged / "tasks" / "captioning" / "weights.safetensors").write_bytes(b"cut")
    model = load_cell(damaged, "cpu")
    assert model.evaluate("retrieval").examples > 0
    with pytest.raises(UserError, match="captioning"):
        model.evaluate("captioning")
    (damaged / "weights.safetensors").write_bytes(b"cut")
    with pytest.raises(UserError) as caught:
        load_cell(damaged, "cpu")
    assert "export the cell again" in str(caught.value)
    (damaged / "exported.json").write_text("{")
    with pytest.raises(UserError, match=r"exported\.json cannot be read"):
        load_cell(damaged, "cpu")


def test_no_cell_and_what_was_meant(ran: Any, tmp_path: Path) -> None:
    cells, words = ran.results / "mixed" / "cells", ran.folder("words").path
    first = min(ran.folder(row).path for row in ("plain", "words", "towers", "words, blind"))
    for said, meant in (
        (cells / "words", words), (cells / words.name[:-1], words), (cells / words.name.replace("or", "ro"), words),
        (ran.results / "mixed", first),
    ):
        with pytest.raises(UserError, match="is no finished cell") as caught:
            load_cell(said, "cpu")
        assert caught.value.remedy == f"did you mean {meant}?"
    with pytest.raises(UserError, match="is no finished cell") as caught:
        load_cell(ran.folder("third").path, "cpu")
    assert caught.value.remedy == "the cell is failed; run the grid again with --retry-failed"
    with pytest.raises(UserError, match="is no finished cell") as caught:
        load_cell(tmp_path / "nowhere" / "at" / "all", "cpu")
    assert "name a cell's folder" in caught.value.remedy


def test_a_cell_that_was_not_run_to_its_end(short: Any, tmp_path: Path) -> None:
    cell = short.run("words").path
    shutil.copytree(cell, tmp_path / "grid" / "cells" / cell.name)
    (tmp_path / "grid" / "cells" / cell.name / "status.json").unlink()
    with pytest.raises(UserError, match="is no finished cell") as caught:
        load_cell(tmp_path / "grid" / "cells" / cell.name, "cpu")
    assert caught.value.remedy == "the cell is pending; run the grid again"


def test_a_cell_whose_stages_were_left_behind(short: Any, tmp_path: Path) -> None:
    cell = short.run("words").path
    shutil.copytree(cell, tmp_path / "grid" / "cells" / cell.name)
    with pytest.raises(UserError, match="what the cell learnt is not beside it") as caught:
        load_cell(tmp_path / "grid" / "cells" / cell.name, "cpu")
    assert "copy that folder along" in caught.value.remedy


def test_it_is_also_something_to_start_from(taken: Callable[[str], Taken]) -> None:
    told = taken("started").scores["started"]
    assert told and isinstance(load_cell(taken("started").folder, "cpu"), Finished)
