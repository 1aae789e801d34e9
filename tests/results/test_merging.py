"""Folders of one grid: joined where they agree, kept apart where they do not, and what contradicts is named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from vlpbench.results import load


def test_seeds_of_two_machines_add_up(another: Any) -> None:
    here, there = another("g", "here"), another("g", "there")
    for one in (here, there):  # both were told of all four cells, each has run two
        one.done("a", 0, {"accuracy": 40.0}) if one is here else one.plan("a", 0)
        one.done("a", 1, {"accuracy": 44.0}) if one is there else one.plan("a", 1)
    both = load(here.folder, there.folder)
    assert [order.name for order in both.orders] == ["g"] and both.conflicts == ()
    done = both.frame[both.frame["metric"] == "accuracy"]
    assert done["value"].tolist() == [40.0, 44.0] and done["seed"].tolist() == [0, 1]
    assert "pending" not in set(both.frame["status"])
    assert len(both.records()) == 2


def test_what_only_the_second_has_comes_after(another: Any) -> None:
    here, there = another("g", "here"), another("g", "there")
    here.done("a", 0, {"accuracy": 40.0})
    there.plan("a", 0)
    there.done("b", 0, {"accuracy": 50.0})
    there.tasks, there.published, there.reference = ("vqa", "retrieval"), {"b": {"vqa.accuracy": 70.0}}, "a"
    there.close()
    (order,) = load(here.folder, there.folder).orders
    assert order.rows == ("a", "b") and order.tasks == ("vqa", "captioning", "retrieval")
    assert order.published == {"b": {"vqa.accuracy": 70.0}} and order.reference == "a"


def test_a_finished_cell_wins_over_one_that_failed(another: Any) -> None:
    here, there = another("g", "here"), another("g", "there")
    here.failed("a", 0, "no memory")
    there.done("a", 0, {"accuracy": 40.0})
    for folders in ((here, there), (there, here)):
        frame = load(*(one.folder for one in folders)).frame
        assert set(frame["status"]) == {"done", "n/a"} and frame["value"].dropna().tolist() == [40.0]


def test_other_scores_of_one_cell_are_named_and_the_first_are_taken(another: Any) -> None:
    here, there = another("g", "here"), another("g", "there")
    here.done("a", 0, {"accuracy": 40.0, "CIDEr": 0.5})
    there.done("a", 0, {"accuracy": 41.0, "CIDEr": 0.5})
    both = load(here.folder, there.folder)
    assert both.frame.set_index("metric")["value"].to_dict() == {"accuracy": 40.0, "CIDEr": 0.5}
    (said,) = both.conflicts
    assert "row 'a', seed 0" in said and "vqa accuracy 40, 41" in said and "CIDEr" not in said
    assert f"those of {here.folder} are taken" in said


def test_a_plugins_metric_makes_no_other_row(another: Any) -> None:
    here, there, other = another("g", "here"), another("g", "there"), another("g", "other")
    protocols = {one: {"protocol": {"captioning": {"metrics": names}}} for one, names in (
        (here, ["CIDEr"]), (there, ["CIDEr", "caption-length"]), (other, ["Bleu_4"]),
    )}
    for seed, one in enumerate((here, there, other)):
        one.done("a", seed, {"CIDEr": 0.5}, settings=protocols[one])
    both = load(here.folder, there.folder)
    assert both.conflicts == () and len(both.records()) == 2
    assert "protocol.captioning.metrics" in load(here.folder, other.folder).conflicts[0]


def test_later_metrics_win(another: Any) -> None:
    here, there = another("g", "here"), another("g", "there")
    here.done("a", 0, {"accuracy": 40.0}, scores={"metrics": 1})
    there.done("a", 0, {"accuracy": 41.0}, scores={"metrics": 2})
    both = load(here.folder, there.folder)
    assert both.frame["value"].dropna().tolist() == [41.0]
    assert f"those of {there.folder} are taken" in both.conflicts[0]


def test_other_settings_under_one_name_are_never_mixed(another: Any) -> None:
    here, there = another("g", "here"), another("g", "there")
    here.done("a", 0, {"accuracy": 40.0})
    there.done("a", 0, {"accuracy": 60.0}, settings={"budget": {"samples": 72_000}})
    there.done("b", 0, {"accuracy": 60.0}, settings={"budget": {"samples": 72_000}})
    both = load(here.folder, there.folder)
    assert [order.name for order in both.orders] == [f"g ({here.folder})", f"g ({there.folder})"]
    assert both.frame.groupby("grid")["value"].sum().tolist() == [40.0, 120.0]
    (said,) = both.conflicts
    assert "row 'a' has other settings" in said and "budget.samples 36000, 72000" in said and "kept apart" in said


def test_where_the_files_lie_and_which_tasks_are_asked_is_no_other_setting(another: Any) -> None:
    here, there = another("g", "here"), another("g", "there")
    here.done("a", 0, {"accuracy": 40.0}, settings={"sources": {"d": {"kind": "coco", "folder": "/here"}}})
    there.plan("a", 0)
    there.done("a", 1, {"accuracy": 60.0}, settings={"sources": {"d": {"kind": "coco", "folder": "/there"}},
                                                     "tasks": ["vqa"]})
    assert load(here.folder, there.folder).conflicts == ()


def test_a_copy_changes_nothing(grid: Any, tmp_path: Path) -> None:
    for seed in range(3):
        grid.done("a", seed, {"accuracy": 40.0 + seed})
    alone = load(grid.folder)
    shutil.copytree(grid.folder, tmp_path / "copy")
    both = load(grid.folder, tmp_path / "copy")
    assert both.frame.equals(alone.frame) and both.conflicts == () and both.orders == alone.orders
