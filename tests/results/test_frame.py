"""Records as a tidy frame: every cell is in it, whatever became of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.errors import UserError
from vlpbench.files import write_json
from vlpbench.results import COLUMNS, load

DUAL = {"objective": "contrastive", "backbone": "timm:resnet18/dual/tiny", "blind": True}


def test_columns_are_as_documented(grid: Any) -> None:
    told = {"told": {"images": 12, "normalisation": "always"}}
    grid.done("a", 0, {"accuracy": 40.0, "CIDEr": 0.5}, task=told, scores={"metrics": 2})
    frame = load(grid.folder).frame
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 2
    line = frame.set_index("metric", drop=False).loc["accuracy"].to_dict()
    unknown = ("published", "peak_bytes", "pairs_per_second", "tflops")
    assert all(math.isnan(line.pop(name)) for name in unknown)
    assert line == {
        "grid": "small", "row": "a", "cell": "000000000000", "objective": "prefix-lm", "stem": "conv3",
        "trunk": "encoder-decoder", "size": "nano", "seed": 0, "blind": False, "task": "vqa", "protocol": "fine-tune",
        "head": "decoder", "data": "digits", "split": "test", "examples": 20, "images": 12, "normalisation": "always",
        "metric": "accuracy", "better": "higher", "value": 40.0, "status": "done", "reason": "",
        "metrics_version": 2, "parameters": 600_000, "image_tokens": 16, "samples": 36_000,
        "target_tokens": 250_000, "flops": 3 * 10**12, "fine_tune_samples": 6_400, "fine_tune_flops": 9,
        "seconds": 12.0, "alone_seconds": 12.0,
        "device": "cpu (x86_64)",
    }
    assert all(len(meaning) > 5 for meaning in COLUMNS.values())


def test_a_plugins_metric_has_its_own_direction_and_version(grid: Any) -> None:
    told = {"told": {"normalisation": "always"}, "extras": {"length": {"version": 5, "better": "lower"}}}
    values = {"accuracy": 40.0, "length": 8.0, "lost": 1.0}
    grid.done("a", 0, {"accuracy": 40.0}, task={**told, "values": values}, scores={"metrics": 2})
    frame = load(grid.folder).frame
    lines = frame[frame["task"] == "vqa"].set_index("metric")
    assert lines["better"].to_dict() == {"accuracy": "higher", "length": "lower", "lost": ""}
    assert lines["metrics_version"].fillna(0).to_dict() == {"accuracy": 2, "length": 5, "lost": 0}
    assert lines["normalisation"].to_dict() == {"accuracy": "always", "length": "", "lost": ""}


def test_each_score_of_answers_names_its_own_rule(grid: Any) -> None:
    values = {"accuracy": 1.0, "accuracy[rule=2016]": 2.0, "exact": 3.0, "exact_normalised": 4.0, "CIDEr": 0.1}
    grid.done("a", 0, values, task={"told": {"normalisation": "always"}})
    rules = load(grid.folder).frame.set_index("metric")["normalisation"]
    assert rules[list(values)[:4]].tolist() == ["always", "2016", "none", "always"]


def test_records_that_tell_less_have_version_1_and_no_images(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    grid.plan("b", 0)
    frame = load(grid.folder).frame.set_index("row")
    assert set(frame.loc["a", "metrics_version"].dropna()) == {1}
    assert frame["images"].isna().all() and frame.loc["b", "metrics_version"].isna().all()


def test_the_parts_of_a_backbone_and_blindness(grid: Any) -> None:
    grid.done("a", 3, {"accuracy": 1.0}, settings=DUAL)
    line = load(grid.folder).frame.iloc[0]
    assert (line["stem"], line["trunk"], line["size"]) == ("timm:resnet18", "dual", "tiny")
    assert line["blind"] and line["objective"] == "contrastive" and line["seed"] == 3


def test_every_state_has_its_line(grid: Any) -> None:
    grid.done("done", 0, {"accuracy": 40.0})
    grid.failed("failed", 0, "the loss is not finite at step 3")
    damaged = grid.done("damaged", 0, {"accuracy": 40.0})
    (damaged.path / "scores.json").write_text("{}")
    grid.begun("running", 0)
    grid.plan("waiting", 0)
    grid.plan("impossible", 0, "n/a: dual has no decoder")
    frame = load(grid.folder).frame
    found = {(one.row, one.task): (one.status, one.reason) for one in frame.itertuples()}
    assert found["done", "vqa"] == ("done", "")
    assert found["done", "captioning"] == ("n/a", "n/a: needs decode")
    for task in ("vqa", "captioning"):
        assert found["failed", task] == ("failed", "the loss is not finite at step 3")
        assert found["damaged", task] == ("damaged", "a file of the record is missing or changed")
        assert found["running", task] == found["waiting", task] == ("pending", "")
        assert found["impossible", task] == ("n/a", "n/a: dual has no decoder")
    assert frame["value"].notna().sum() == 1


@pytest.mark.parametrize("content", ["", "{", "\x00"])
def test_a_cell_whose_settings_cannot_be_read_is_damaged_and_no_other(grid: Any, content: str) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    broken = grid.done("b", 0, {"accuracy": 50.0})
    (broken.path / "settings.json").write_text(content)
    results = load(grid.folder)
    frame = results.frame
    assert set(frame[frame["row"] == "b"]["status"]) == {"damaged"}
    assert frame[frame["row"] == "a"]["value"].dropna().tolist() == [40.0]
    assert results.floors()["value"].notna().all() and "damaged" in results.wide().loc["b"].tolist()


def test_without_the_grids_file_unreadable_settings_are_an_error(grid: Any) -> None:
    broken = grid.done("b", 0, {"accuracy": 50.0})
    (broken.path / "settings.json").write_text("{")
    (grid.folder / "grid.json").unlink()
    with pytest.raises(UserError, match="cannot read a record"):
        load(grid.folder)


def test_cells_that_the_grid_no_longer_has_are_left_out(grid: Any) -> None:
    grid.done("kept", 0, {"accuracy": 40.0})
    orphan = grid.done("orphan", 0, {"accuracy": 90.0}).read("settings.json")["id"]
    del grid.cells[orphan]
    grid.rows = ["kept"]
    grid.close()
    assert set(load(grid.folder).frame["row"]) == {"kept"}


def test_cells_under_a_former_name_of_their_row_are_left_out(grid: Any) -> None:
    renamed = grid.done("old name", 0, {"accuracy": 40.0}).read("settings.json")["id"]
    grid.cells[renamed]["row"] = "new name"
    grid.rows = ["new name"]
    grid.close()
    frame = load(grid.folder).frame
    assert set(frame["row"]) == {"new name"} and set(frame["status"]) == {"pending"}


def test_a_metric_without_a_value_says_why(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "CIDEr": None})
    line = load(grid.folder).frame.set_index("metric").loc["CIDEr"]
    assert math.isnan(line["value"]) and line["reason"] == "there is one image" and line["status"] == "done"


def test_published_numbers_stand_beside_theirs(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0, "CIDEr": 0.5}, settings={"published": {"vqa.accuracy": 77.9}})
    found = load(grid.folder).frame.set_index("metric")["published"]
    assert found["accuracy"] == 77.9 and math.isnan(found["CIDEr"])


def test_several_grids(grid: Any, another: Callable[..., Any]) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    other = another()
    other.done("a", 0, {"accuracy": 50.0})
    results = load(grid.folder, str(other.folder))
    assert results.frame[results.frame["task"] == "vqa"].set_index("grid")["value"].to_dict() == {
        "small": 40.0, "other": 50.0
    }
    assert results.folders == (grid.folder, other.folder)


def test_a_cell_that_two_grids_have_stands_in_both(grid: Any, another: Callable[..., Any]) -> None:
    other = another()
    for one in (grid, other):
        one.done("base", 0, {"accuracy": 40.0})
    other.plan("more", 0)
    frame = load(grid.folder, other.folder).frame
    assert len(set(frame["cell"])) == 2
    assert frame.groupby("grid")["value"].count().to_dict() == {"small": 1, "other": 1}
    assert load(grid.folder, other.folder).floors().groupby("grid").size().to_dict() == {"small": 2, "other": 2}


def test_a_folder_may_be_renamed(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    moved = grid.folder.rename(grid.folder.parent / "old")
    assert load(moved).wide().loc["a", "vqa acc."] == "40.0"
    (moved / "grid.json").unlink()
    assert load(moved).wide().loc["a", "vqa acc."] == "40.0"


def test_the_same_cell_in_two_folders_counts_once(grid: Any, another: Callable[..., Any]) -> None:
    for one in (grid, another("small", "again")):
        for seed, value in enumerate([40.0, 50.0]):
            one.done("a", seed, {"accuracy": value})
    both = load(grid.folder, grid.folder.parent / "again" / "small")
    assert len(both.frame) == len(load(grid.folder).frame)
    assert both.wide(["accuracy"]).iloc[0, 0] == "45.0 ± 7.1"


def test_a_folder_without_records_names_the_nearest(tmp_path: Path, grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    with pytest.raises(UserError, match="no records") as caught:
        load(tmp_path / "smal")
    assert str(grid.folder) in caught.value.remedy, "a misspelt name"
    with pytest.raises(UserError, match="no records") as caught:
        load(tmp_path)
    assert str(grid.folder) in caught.value.remedy, "the folder above"
    (tmp_path / "void").mkdir()
    with pytest.raises(UserError, match="no records") as caught:
        load(tmp_path / "void" / "x" / "y")
    assert caught.value.remedy == "run a grid first"


def test_what_lies_in_a_results_folder_or_is_no_folder_is_told_apart(tmp_path: Path, grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    with pytest.raises(UserError, match="no records") as caught:
        load(grid.folder / "cells")
    assert caught.value.remedy == f"did you mean {grid.folder}?"
    (tmp_path / "notes.txt").write_text("no frame")
    with pytest.raises(UserError, match="no records") as caught:
        load(tmp_path / "notes.txt")
    assert "notes.txt is a file" in caught.value.remedy


@pytest.mark.parametrize("content", ["{", "[]", '{"name": "x"}'])
def test_a_broken_grid_file_is_named(grid: Any, content: str) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    (grid.folder / "grid.json").write_text(content)
    with pytest.raises(UserError, match="cannot read the grid's order") as caught:
        load(grid.folder)
    assert caught.value.place.endswith("grid.json")


def test_without_the_grids_file_records_are_read_all_the_same(grid: Any) -> None:
    grid.done("b", 0, {"accuracy": 40.0})
    grid.done("a", 0, {"accuracy": 50.0})
    (grid.folder / "grid.json").unlink()
    assert load(grid.folder).frame["value"].dropna().tolist() == [50.0, 40.0]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"total": 1', "\x00\x01", None])
@pytest.mark.parametrize("name", ["timing", "environment"])
def test_run_facts_that_cannot_be_read_are_unknown_and_the_numbers_stay(
    grid: Any, name: str, content: str | None
) -> None:
    """They are outside the promise of a record: a clock that stood still makes no score wrong."""
    folder = grid.done("a", 0, {"accuracy": 40.0})
    grid.done("b", 0, {"accuracy": 50.0})
    file = folder.path / f"{name}.json"
    file.unlink() if content is None else file.write_text(content)
    results = load(grid.folder)
    lines = results.frame[results.frame["task"] == "vqa"].set_index("row")
    assert lines["value"].to_dict() == {"a": 40.0, "b": 50.0} and set(lines["status"]) == {"done"}
    assert math.isnan(lines.loc["a", "seconds"]) == (name == "timing")
    assert (lines.loc["a", "device"] == "") == (name == "environment")
    assert lines.loc["b", "seconds"] == 12.0 and lines.loc["b", "device"] == "cpu (x86_64)"
    assert results.wide().loc["a", "vqa acc."] == "40.0"


def test_all_finished_cells_are_found_whatever_became_of_their_run_facts(grid: Any) -> None:
    for row in ("a", "b"):
        (grid.done(row, 0, {"accuracy": 40.0}).path / "timing.json").write_text("{")
    grid.failed("c", 0, "not today")
    results = load(grid.folder)
    assert [one.asked["row"] for one in results.records()] == ["a", "b"]
    assert not results.floors().empty


def test_a_record_of_a_version_to_come_is_refused(grid: Any) -> None:
    folder = grid.done("a", 0, {"accuracy": 40.0}).path
    said = (folder / "settings.json").read_text()
    (folder / "settings.json").write_text(said.replace('"schema": 1', '"schema": 99'))
    with pytest.raises(UserError, match="record has schema 99") as caught:
        load(grid.folder)
    assert caught.value.place == str(folder)


def test_the_grids_reference_is_known(grid: Any) -> None:
    grid.done("a", 0, {"accuracy": 40.0})
    assert load(grid.folder).orders[0].reference == ""
    grid.reference = "a"
    grid.close()
    assert load(grid.folder).orders[0].reference == "a"


def test_a_table_and_a_plot_in_python(grid: Any) -> None:
    for seed in range(3):
        grid.done("a", seed, {"accuracy": 40.0 + seed, "CIDEr": 0.5})
    results = load(grid.folder)
    table = results.table(metrics="accuracy", tasks=["vqa"], bold="none")
    assert [column.name for column in table.columns] == ["acc."] and table.lines[0].name == "a"
    assert results.plot("bars", task="vqa").get_axes()
    with pytest.raises(UserError, match="unknown choice of a table 'metrix'") as caught:
        results.table(metrix="accuracy")
    assert "'metrics'" in caught.value.remedy
    with pytest.raises(UserError, match="unknown plot 'bar'"):
        results.plot("bar")


def test_seconds_of_a_cell_alone_hold_what_it_found_made(grid: Any) -> None:
    """The second cell of one pretraining found it made by the first."""
    made = {"a": {"pretrain": 50.0, "vqa": 3.0}, "a, blind": {"pretrain": 0.01, "vqa": 2.0}}
    for row, seconds in made.items():
        folder = grid.done(row, 0, {"accuracy": 40.0}, settings={"blind": "blind" in row}).path
        write_json(folder / "pretraining.json", {"stage": "pretrain-0123456789abcdef"})
        write_json(folder / "timing.json", {"seconds": seconds, "total": sum(seconds.values())})
    found = load(grid.folder).frame.drop_duplicates("cell").set_index("row").loc[[*made]]
    assert found["seconds"].tolist() == [53.0, 2.01] and found["alone_seconds"].tolist() == [53.0, 52.0]
    assert load(grid.folder).wide(beside=["seconds"])["seconds a cell"].tolist()[:2] == ["53", "52"]
    assert load(grid.folder).wide(beside=["hours"])["device-hours a cell"].tolist()[:2] == ["0.015", "0.014"]


def test_how_fast_a_pretraining_was_stands_in_its_lines(grid: Any) -> None:
    cell = grid.done("a", 0, {"accuracy": 40.0})
    speed = {"pretrain": {"pairs_per_second": 1512.5, "tflops": 0.25}}
    write_json(cell.path / "timing.json", {"seconds": {}, "total": 12.0, "speed": speed})
    found = load(grid.folder)
    assert found.frame[["pairs_per_second", "tflops"]].drop_duplicates().values.tolist() == [[1512.5, 0.25]]
    table = found.wide(beside=("pairs_per_second", "tflops"))
    assert {"pairs/s", "TFLOP/s"} <= set(table.columns)


@pytest.mark.parametrize("damaged", [3, {"pretrain": "fast"}, {"pretrain": {"pairs_per_second": "many"}}])
def test_a_rate_that_is_none_is_not_known(grid: Any, damaged: Any) -> None:
    cell = grid.done("a", 0, {"accuracy": 40.0})
    write_json(cell.path / "timing.json", {"seconds": {}, "total": 12.0, "speed": damaged})
    assert load(grid.folder).frame["pairs_per_second"].isna().all()
