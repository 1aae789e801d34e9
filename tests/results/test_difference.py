"""Two cells beside each other: what is found, what follows from it, and what is told of records that lack something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.files import write_json
from vlpbench.records import CellFolder
from vlpbench.results.difference import Difference, Differences, differences

AA, BB = "aa0000000000", "bb0000000000"
YET = "Nothing that decides numbers differs, yet the numbers do"


@pytest.fixture
def pair(record):
    """pair(changes of B) -> what differs between two cells."""

    def compare(changes=None, of_a=None) -> Difference:
        a, b = record("one", "x", 0, AA, of_a), record("two", "x", 0, BB, changes)
        found = differences(str(a), str(b))
        assert isinstance(found, Difference)
        json.dumps(found.plain(), allow_nan=False)
        return found

    return compare


def keys(found: Difference) -> dict[str, list[str]]:
    return {group: [change.key for change in changes] for group, changes in found.why.items()}


def test_equal_records_are_equal(pair):
    found = pair()
    assert found.why == {} and found.unknown == [] and found.outcome is not None and found.outcome.is_equal
    assert found.verdict == "Nothing that decides numbers differs, and the numbers are equal"


@pytest.mark.parametrize(("path", "value", "group", "key"), [
    ("settings/optim/lr", 0.1, "settings", "optim.lr"),
    ("settings/protocol/vqa", "-", "settings", "protocol.vqa"),
    ("settings/sources/d/folder", "there", "places", "sources.d.folder"),
    ("settings/init/checkpoint", "other", "places", "init.checkpoint"),
    ("settings/sources/d/kind", "coco", "settings", "sources.d.kind"),
    ("versions/stem", 2, "versions", "stem"),
    ("versions/vlpbench", "0.2.0", "versions", "vlpbench"),
    ("code/vlpbench/training", "e" * 64, "code", "vlpbench/training"),
    ("fingerprints/d", "e" * 64, "data", "d"),
    ("fingerprints/init.stem", "e" * 64, "initial", "init.stem"),
    ("environment/torch", "2.8.0", "libraries", "torch"),
    ("environment/versions/numpy", "1.0", "libraries", "versions.numpy"),
    ("environment/device", "a GPU", "hardware", "device"),
    ("environment/command", "vlpbench", "run", "command"),
])
def test_each_thing_that_differs_is_in_its_group(pair, path, value, group, key):
    changes = {path: value}
    if path.startswith("code/"):
        changes = {"code": {"objective x": "a" * 64, key: value}}
    assert keys(pair(changes)) == {group: [key]}


def test_when_it_ran_is_no_reason(pair):
    assert pair({"environment/started": "later"}).why == {}


def test_a_component_of_one_cell_alone_is_told_by_the_settings(pair):
    found = pair({"settings/objective": "y", "versions": {"objective y": 1, "stem": 1, "vlpbench": "0.1.0"}})
    assert keys(found) == {"settings": ["objective"]}


@pytest.mark.parametrize(("changes", "verdict"), [
    ({"settings/optim/lr": 0.1, "values/accuracy": 1.0},
     "The numbers differ, and so does what decides them: settings"),
    ({"settings/optim/lr": 0.1}, "The numbers are equal, although what decides them differs: settings"),
    ({"environment/torch": "3"}, "Nothing that decides numbers differs, and the numbers are equal"),
    ({"values/accuracy": 1.0},
     f"{YET}. No difference of libraries or hardware is known"),
    ({"values/accuracy": 1.0, "environment/torch": "3", "environment/host": "1" * 12},
     f"{YET}. Of libraries and hardware these differ: torch, another machine"),
    ({"values/accuracy": 1.0, "environment": "-"},
     f"{YET} (as far as is known). Libraries and hardware are not known"),
])
def test_what_follows(pair, changes, verdict):
    assert pair(changes).verdict == verdict


def test_an_older_record_is_compared_as_far_as_it_goes(pair):
    found = pair({"code": "-", "environment/host": "-", "environment/versions": "-"})
    assert found.why == {}
    assert found.unknown == ["code (not recorded in B)", "host, versions (not recorded in B)"]
    assert found.verdict.endswith("the numbers are equal (as far as is known)")


def test_a_gpus_facts_are_not_missing_from_a_processor(pair):
    of_gpu = {"environment/device": "GPU", "environment/driver": "1", "environment/gpu_memory": "80 GiB"}
    found = pair(of_gpu)
    assert keys(found) == {"libraries": ["driver"], "hardware": ["device", "gpu_memory"]} and found.unknown == []
    older = pair({"environment/device": "GPU"}, of_gpu)
    assert older.why == {} and older.unknown == ["driver, gpu_memory (not recorded in B)"]


def test_failed_and_pending_cells_say_why_there_is_nothing(record, tmp_path):
    a = record("one", "x", 0, AA)
    failed = CellFolder(record("one", "x", 1, BB, {"settings/optim/lr": 0.1}))
    failed.fail("the loss is not a number", {}, {})
    write_json(tmp_path / "one" / "grid.json", {
        "name": "one", "description": "", "rows": ["x"], "tasks": ["vqa"],
        "cells": {"cc0000000000": {"row": "x", "seed": 2, "reason": None}},
    })
    found = differences(str(a), str(failed.path))
    assert isinstance(found, Difference) and found.outcome is None
    assert keys(found) == {"settings": ["optim.lr"], "seed": ["seed"]}
    assert found.verdict == "There is nothing to compare: B is failed (the loss is not a number)"
    pending = differences(str(a), f"{tmp_path}/one:x-s2")
    assert isinstance(pending, Difference) and keys(pending) == {"seed": ["seed"]}
    assert pending.verdict.endswith("B is pending") and "settings (not recorded in B)" in pending.unknown


def test_broken_files_are_named(pair, record):
    path = record("two", "x", 0, BB)
    for name in ("scores.json", "curve.jsonl", "environment.json", "predictions/vqa.parquet"):
        (path / name).write_text("{broken")
    found = differences(str(record("one", "x", 0, AA)), str(path))
    assert isinstance(found, Difference) and found.b.state == "damaged"
    assert {f"{name} of B (it cannot be read)" for name in ("scores.json", "curve.jsonl", "environment.json")} <= set(
        found.unknown
    )
    assert found.outcome is not None and found.outcome.only == {"vqa": "A"}
    json.dumps(found.plain(), allow_nan=False)


def test_json_that_is_no_record_is_no_crash(record):
    a, b = record("one", "x", 0, AA), record("two", "x", 0, BB)
    (b / "scores.json").write_text('{"tasks": {"vqa": "good"}}')
    (b / "curve.jsonl").write_text('"a"\n{"stage": "pretrain", "step": 0, "loss": 1.0}\n')
    (b / "settings.json").write_text('["x"]')
    (b / "environment.json").write_text('{"versions": 3, "git": {}}')
    found = differences(str(a), str(b))
    assert isinstance(found, Difference) and found.b.state == "damaged"
    assert "settings.json of B (it cannot be read)" in found.unknown
    assert "what B wrote (a file is missing or changed since)" in found.unknown
    assert found.outcome is not None and found.outcome.courses[0].parts_at == 0


def test_a_command_that_one_lacks_is_no_reason(pair):
    assert pair({"environment/command": "-"}, {"environment/git": {"grid": {"commit": "1"}}}).why == {}


def test_two_folders_are_paired_by_row_and_seed(record, tmp_path):
    record("one", "x", 0, AA)
    record("one", "x", 1, BB, {"environment/torch": "1"})
    record("one", "y", 0, "cc0000000000")
    record("two", "x", 0, "dd0000000000", {"settings/optim/lr": 0.1, "environment/torch": "3"})
    record("two", "x", 1, "ee0000000000", {"settings/optim/lr": 0.1, "environment/torch": "3", "values/accuracy": 1.0})
    record("two", "z", 0, "ff0000000000")
    found = differences(str(tmp_path / "one"), str(tmp_path / "two" / "cells"))
    assert isinstance(found, Differences)
    assert [(one.a.id[:2], one.b.id[:2]) for one in found.pairs] == [("aa", "dd"), ("bb", "ee")]
    assert [one.outcome.is_equal for one in found.pairs if one.outcome] == [True, False]
    assert [(group, change.key) for group, change in found.in_all] == [("settings", "optim.lr")]
    assert [one.row for one in found.only_a] == ["y"] and [one.row for one in found.only_b] == ["z"]
    json.dumps(found.plain(), allow_nan=False)


def test_of_several_cells_of_a_row_the_one_of_the_same_id_is_its_like(record, tmp_path):
    record("one", "x", 0, AA)
    record("two", "x", 0, BB)
    record("two", "x", 0, AA)
    found = differences(str(tmp_path / "one"), str(tmp_path / "two"))
    assert isinstance(found, Differences)
    assert found.pairs[0].b.id == AA and [one.id for one in found.only_b] == [BB]


def test_a_cell_is_compared_with_its_like_in_a_folder(record, tmp_path):
    a = record("one", "x", 0, AA)
    record("two", "x", 1, "dd0000000000")
    with pytest.raises(UserError, match="no cell of row 'x' and seed 0") as caught:
        differences(str(a), str(tmp_path / "two"))
    assert "two:x-s1-dd" in caught.value.remedy
    record("two", "x", 0, BB)
    found = differences(str(tmp_path / "two"), str(a))
    assert isinstance(found, Difference) and (found.a.id, found.b.id) == (BB, AA)


@pytest.mark.parametrize("name", ["aa", "x-s0", f"x-s0-{AA}"])
def test_a_cell_may_be_named_by_its_id_or_row(record, tmp_path, name):
    record("one", "x", 0, AA)
    record("one", "x", 10, BB)
    found = differences(f"{tmp_path / 'one'}:{name}", f"{tmp_path / 'one'}:bb")
    assert isinstance(found, Difference) and (found.a.id, found.b.id) == (AA, BB)


def test_what_is_not_there_is_told(record, tmp_path):
    record("one", "x", 0, AA)
    record("one", "x", 1, "ab0000000000")
    one = str(tmp_path / "one")
    for wrong, said in {
        f"{one}:zz": "unknown cell 'zz'", f"{one}:a": "'a' may be 2 cells", f"{tmp_path}/none": "there is no",
        f"{tmp_path}/none:aa": "there is no", f"{one}:": "unknown cell", str(tmp_path): "neither a cell",
    }.items():
        with pytest.raises(UserError, match=said):
            differences(wrong, one)
    with pytest.raises(UserError) as caught:
        differences(one, str(tmp_path))
    assert caught.value.remedy == f"did you mean {Path(one)}?"


def test_an_exported_cell_has_settings_and_no_numbers(record, tmp_path):
    a = record("one", "x", 0, AA)
    asked = json.loads((a / "settings.json").read_text())
    write_json(tmp_path / "model" / "exported.json", {**asked, "row": "x"})
    found = differences(str(a), str(tmp_path / "model"))
    assert isinstance(found, Difference) and found.why == {}
    assert found.verdict == "There is nothing to compare: B is exported"
