"""A plugin's metrics beside the suite's: named by a grid, measured once, kept row by row, and never in the way."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vlpbench.cli.main import main
from vlpbench.records import CellFolder, cell_folders, read_predictions
from vlpbench.results import load

PLUGIN = '''
"""Metrics that work, and metrics that fail in their own ways."""
from vlpbench.plugin import Metric, hookimpl

class Length(Metric):
    name, tasks, higher_is_better = "caption-length", {"captioning"}, False
    def values(self, rows):
        print("measuring")
        rows[0]["references"].clear()
        return [len(row["prediction"].split()) for row in rows]

class Numbers(Metric):
    name, version, tasks = "number-answers", 3, {"vqa", "captioning"}
    def values(self, rows):
        return [None if row.get("answer_type") != "number" else 100.0 * row["accuracy"] for row in rows]

class Raises(Metric):
    name, tasks = "raises", {"vqa"}
    def values(self, rows):
        raise LookupError("no list of words")

class TooFew(Raises):
    name = "too-few"
    def values(self, rows):
        return [1.0]

class NotANumber(Raises):
    name = "not-a-number"
    def values(self, rows):
        return [float("nan")] * len(rows)

class Silent(Raises):
    name = "silent"
    def values(self, rows):
        return [None] * len(rows)

@hookimpl
def vlpbench_metrics():
    return [Length, Numbers, Raises, TooFew, NotANumber, Silent]
'''
GRID = '''
schema = 1
name = "extra"
plugins = ["extras.py"]
tasks = ["vqa", "captioning"]
[base]
objective = "none"
backbone = "linear/encoder-decoder/nano"
data = "digits"
[text]
vocabulary = 330
length = 16
[protocol.vqa]
samples = 16
batch = 8
metrics = [{vqa}]
[protocol.captioning]
samples = 16
batch = 8
metrics = [{captioning}]
[data.digits]
kind = "digits"
train = 40
val = 10
test = 10
questions = 4
'''
VQA = ("number-answers", "raises", "too-few", "not-a-number", "silent")


@dataclass(frozen=True)
class Ran:
    """A grid of one cell that was run with extra metrics."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results" / "extra"

    def cell(self) -> CellFolder:
        (found,) = cell_folders(self.results)
        return found

    def task(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.cell().read("scores.json")["tasks"][name]
        return found

    def rows(self, task: str) -> list[dict[str, Any]]:
        return read_predictions(self.cell().path / "predictions" / f"{task}.parquet")

    def write(self, vqa: tuple[str, ...], captioning: tuple[str, ...]) -> None:
        said = {"vqa": vqa, "captioning": captioning}
        text = GRID.format(**{task: ", ".join(f'"{name}"' for name in names) for task, names in said.items()})
        (self.folder / "extra.toml").write_text(text)

    def run(self) -> int:
        return main(["run", "grid", str(self.folder / "extra.toml"), "--results", str(self.folder / "results"),
                     "--device", "cpu"])

    def score(self, *arguments: str, plugin: bool = True) -> int:
        named = ["-p", str(self.folder / "extras.py")] if plugin else []
        return main([*named, "run", "score", str(self.results), *arguments])


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run once; tests leave it as it is."""
    ran = Ran(tmp_path_factory.mktemp("extra"))
    (ran.folder / "extras.py").write_text(PLUGIN)
    ran.write(VQA, ("CIDEr", "caption-length"))
    assert ran.run() == 0
    return ran


@pytest.fixture
def ran(once: Ran, tmp_path: Path) -> Ran:
    """A copy that a test may change."""
    shutil.copytree(once.folder, tmp_path / "copy")
    return Ran(tmp_path / "copy")


def test_mean_rows_and_origin_are_in_the_record(once: Ran) -> None:
    said, rows = once.task("captioning"), once.rows("captioning")
    lengths = [len(row["prediction"].split()) for row in rows]
    assert [row["caption-length"] for row in rows] == lengths and all(row["references"] for row in rows)
    assert said["values"]["caption-length"] == pytest.approx(sum(lengths) / len(lengths))
    assert set(said["values"]) == {"CIDEr", "caption-length"}
    told = said["extras"]["caption-length"]
    assert (told["version"], told["better"], told["left_out"], told["plugin"]) == (1, "lower", 0, "extras.py")
    assert len(told["sha256"]) == 64


def test_rows_that_say_nothing_are_left_out_of_the_mean_and_counted(once: Ran) -> None:
    said, rows = once.task("vqa"), once.rows("vqa")
    numbers = [100 * row["accuracy"] for row in rows if row["answer_type"] == "number"]
    assert 0 < len(numbers) < len(rows)
    assert said["values"]["number-answers"] == pytest.approx(math.fsum(numbers) / len(numbers))
    assert said["extras"]["number-answers"]["left_out"] == len(rows) - len(numbers)
    assert said["extras"]["number-answers"]["version"] == 3


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("raises", "raised LookupError: no list of words"), ("too-few", "returned 1 numbers for"),
        ("not-a-number", "returned nan for row 0"), ("silent", "says nothing about any of"),
    ],
)
def test_a_metric_that_fails_costs_its_own_value_alone(once: Ran, metric: str, why: str) -> None:
    said = once.task("vqa")
    assert said["values"][metric] is None and why in said["reasons"][metric]
    assert said["values"]["accuracy"] is not None and once.cell().state() == "done"


def test_frame_tables_and_tests_know_the_column(once: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    found = load(once.results)
    lines = found.frame.set_index(["task", "metric"])
    assert lines.loc[("captioning", "caption-length"), "better"] == "lower"
    assert lines.loc[("vqa", "accuracy"), "better"] == "higher"
    assert lines.loc[("vqa", "number-answers"), "metrics_version"] == 3
    assert len(found.examples("captioning", "caption-length")) == 10
    assert 0 < len(found.examples("vqa", "number-answers")) < 40
    assert main(["report", "table", str(once.results)]) == 0
    said = capsys.readouterr().out
    head = next(line for line in said.splitlines() if "caption-length" in line)
    assert head.index("CIDEr") < head.index("caption-length") and "number-answers" in head
    assert "vqa raises: none" in said and "no list of words" in said


def test_naming_one_more_measures_finished_cells_and_runs_none(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    before, timing = ran.cell().path.name, ran.cell().read("timing.json")
    was = ran.task("captioning")["values"]
    ran.write(VQA, ("CIDEr", "caption-length", "number-answers"))
    assert ran.run() == 0
    assert "number-answers of finished cells" in capsys.readouterr().err
    assert ran.cell().path.name == before and ran.cell().read("timing.json") == timing
    now = ran.task("captioning")
    assert now["values"] == {**was, "number-answers": None} and "caption-length" in now["extras"]
    assert ran.cell().state() == "done"


def test_one_more_on_a_compact_record_is_said_and_costs_nothing(
    ran: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grid", "compact", str(ran.results), str(ran.results)]) == 0
    before = (ran.cell().path / "scores.json").read_bytes()
    found = load(ran.results)
    assert len(found.examples("captioning", "caption-length")) == 10
    assert 0 < len(found.examples("vqa", "number-answers")) < 40
    ran.write(VQA, ("CIDEr", "caption-length", "number-answers"))
    assert ran.run() == 0
    assert "number-answers: not measured of 1 finished cell, as compact records" in capsys.readouterr().err
    assert (ran.cell().path / "scores.json").read_bytes() == before and ran.cell().is_compact
    assert ran.score() == 2
    assert "all finished cells here are compact records" in capsys.readouterr().err


def test_scoring_again_changes_nothing_and_a_later_version_is_measured(
    ran: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {path: path.read_bytes() for path in ran.cell().path.rglob("*") if path.is_file()}
    assert ran.score() == 0
    assert {path: path.read_bytes() for path in files} == files
    plugin = ran.folder / "extras.py"
    said = plugin.read_text().replace("[len(row", "[1 + len(row")
    plugin.write_text(said.replace('name, tasks, higher_is_better = ', 'version, name, tasks, higher_is_better = 2, '))
    capsys.readouterr()
    assert ran.score() == 0
    assert "captioning: caption-length" in capsys.readouterr().out
    assert ran.task("captioning")["extras"]["caption-length"]["version"] == 2


def test_without_its_plugin_a_metric_keeps_its_values(ran: Ran) -> None:
    was, rows = ran.cell().read("scores.json"), ran.rows("captioning")
    assert ran.score(plugin=False) == 0
    now = ran.cell().read("scores.json")
    assert now["tasks"]["captioning"] == was["tasks"]["captioning"] and ran.rows("captioning") == rows
    assert "unknown metric 'raises'" in now["tasks"]["vqa"]["reasons"]["raises"]


def test_run_score_adds_one_by_name(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    path = ran.cell().path
    settings = json.loads((path / "settings.json").read_text())
    settings["settings"]["protocol"]["captioning"]["metrics"] = ["CIDEr"]
    (path / "settings.json").write_text(json.dumps(settings))
    scores = ran.cell().read("scores.json")
    was = scores["tasks"]["captioning"]["values"].pop("caption-length")
    scores["tasks"]["captioning"].pop("extras")
    ran.cell().score_again(scores, {})
    assert ran.score("--metrics", "caption-length") == 0
    assert f"captioning: caption-length none -> {was:.6g}" in capsys.readouterr().out
    assert ran.task("captioning")["values"]["caption-length"] == was


@pytest.mark.parametrize(
    ("name", "said"),
    [("caption-lenght", "did you mean 'caption-length'?"), ("CIDR", "did you mean 'CIDEr'?")],
)
def test_run_score_refuses_what_nobody_has(
    once: Ran, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert once.score("--metrics", name) == 2
    assert said in capsys.readouterr().err


def test_a_metric_of_another_task_is_refused_with_the_grid(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    ran.write(("caption-length",), ())
    assert ran.run() == 2
    said = capsys.readouterr().err
    assert "reads predictions of captioning, not of vqa" in said and "number-answers" in said
