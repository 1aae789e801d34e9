"""A record is pending, done, failed or damaged, and nothing in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.records import SCHEMA, CellFolder, cell_folders

Finish = Callable[..., CellFolder]
FACTS = {"timing": {"total": 1.5}, "environment": {"device": "cpu"}}
DECIDED = ["settings.json", "scores.json", "curve.jsonl", "predictions/vqa.parquet"]


def test_a_record_goes_from_pending_to_done(folder: CellFolder, finish: Finish) -> None:
    assert folder.state() == "pending"
    folder.begin({"id": "0123456789ab"})
    assert folder.state() == "pending"
    assert finish().state() == "done"
    assert sorted(folder.status()["files"]) == sorted(DECIDED)
    assert folder.read("scores.json") == {"schema": SCHEMA, "tasks": {}}
    assert folder.read("settings.json") == {"schema": SCHEMA, "id": "0123456789ab"}
    assert folder.curve() == [{"stage": "pretrain", "step": 0, "loss": 2.5}]


def test_the_name_can_be_read_and_ends_with_the_id(folder: CellFolder) -> None:
    assert folder.path.name == "prefix-lm-blind-s0-0123456789ab"
    assert folder.path.parent.name == "cells"


def test_a_failure_is_recorded_with_its_cause(folder: CellFolder) -> None:
    folder.begin({"id": "x"})
    folder.fail("the loss is not finite at step 3", {"step": 3}, FACTS)
    assert folder.state() == "failed"
    assert folder.status()["cause"] == "the loss is not finite at step 3" and folder.status()["step"] == 3
    assert folder.read("timing.json") == FACTS["timing"]
    assert folder.curve() == []


@pytest.mark.parametrize("name", DECIDED)
@pytest.mark.parametrize("how", ["gone", "cut", "flipped", "longer"])
def test_a_file_that_is_not_as_written_is_damage(finish: Finish, name: str, how: str) -> None:
    folder = finish()
    path = folder.path / name
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"cut": content[:-1], "flipped": flipped, "longer": content + b"\n"}[how])
    assert folder.state() == "damaged"
    if how != "gone":
        path.write_bytes(content)
        assert folder.state() == "done"


@pytest.mark.parametrize("name", ["timing.json", "environment.json"])
def test_what_differs_from_run_to_run_is_no_part_of_it(finish: Finish, name: str) -> None:
    folder = finish()
    (folder.path / name).write_text("{}")
    (folder.path / "log.txt").write_text("printed")
    assert folder.state() == "done"


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (b"", "pending"), (b'{"state": "do', "pending"), (b"[]", "pending"), (b"\xff\xfe", "pending"),
        (b'{"state": "done", "files": []}', "pending"), (b'{"state": "done"}', "damaged"),
        (b'{"state": "done", "files": {}}', "damaged"), (b'{"state": "failed"}', "failed"),
        (b'{"state": "done", "files": {"settings.json": 7}}', "damaged"),
    ],
)
def test_a_status_that_says_something_else(finish: Finish, content: bytes, state: str) -> None:
    folder = finish()
    (folder.path / "status.json").write_bytes(content)
    assert folder.state() == state


def test_beginning_forgets_what_was_there(finish: Finish) -> None:
    folder = finish()
    (folder.path / ".scores.json.k3j2.json").write_text("half, of a killed process")
    (folder.path / "predictions" / ".vqa.parquet.xx.parquet").write_text("half")
    (folder.path / "log.txt").write_text("open in the process that begins")
    folder.begin({"id": "0123456789ab"})
    assert folder.state() == "pending"
    left = sorted(path.name for path in folder.path.rglob("*") if path.is_file())
    assert left == ["log.txt", "settings.json"]
    folder.fail("no", {}, FACTS)
    assert list(folder.status()["files"]) == ["settings.json"]


def test_equal_records_are_equal_bytes(tmp_path: Path) -> None:
    written = []
    for name, seconds in (("one", 1.0), ("two", 2.0)):
        folder = CellFolder(tmp_path / name)
        folder.begin({"id": "a", "settings": {"b": 1, "a": 2}})
        folder.finish({"tasks": {"vqa": 0.1 + 0.2}}, [{"step": 1}], {"vqa": [{"a": 1}]}, {"timing": {"total": seconds}})
        names = [*DECIDED, "status.json"]
        written.append([(folder.path / file).read_bytes() for file in names])
    assert written[0] == written[1]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_refused(folder: CellFolder, value: float) -> None:
    folder.begin({"id": "a"})
    with pytest.raises(ValueError, match="Out of range"):
        folder.finish({"tasks": {"vqa": value}}, [], {}, FACTS)
    with pytest.raises(ValueError, match="Out of range"):
        folder.finish({"tasks": {}}, [{"loss": value}], {}, FACTS)
    assert folder.state() == "pending"


def test_a_file_that_cannot_be_read_is_named(finish: Finish) -> None:
    folder = finish()
    (folder.path / "scores.json").write_text("{")
    with pytest.raises(UserError, match="cannot read a record") as caught:
        folder.read("scores.json")
    assert caught.value.place == str(folder.path / "scores.json")
    assert "run the grid again" in caught.value.remedy
    (folder.path / "curve.jsonl").write_text('{"step": 0}\n{"st')
    with pytest.raises(UserError, match="cannot read a record") as caught:
        folder.curve()
    assert caught.value.place == str(folder.path / "curve.jsonl")


def test_folders_are_listed_by_name_and_others_are_none(tmp_path: Path) -> None:
    assert list(cell_folders(tmp_path / "nowhere")) == []
    for name in ("b-s0-2", "a-s1-1", "a-s0-3"):
        CellFolder(tmp_path / "cells" / name).begin({"id": name})
    (tmp_path / "cells" / "empty").mkdir()
    (tmp_path / "cells" / "notes.txt").write_text("mine")
    assert [one.path.name for one in cell_folders(tmp_path)] == ["a-s0-3", "a-s1-1", "b-s0-2"]
