"""A record is pending, done, failed or damaged, and nothing in between."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vlpbench.errors import UserError
from vlpbench.records import SCHEMA, CellFolder, cell_folders

Finish = Callable[..., CellFolder]
FACTS = {"timing": {"total": 1.5}, "environment": {"device": "cpu"}}
FULL = """
import resource, sys
from pathlib import Path
from vlpbench.records import CellFolder
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    CellFolder(Path(sys.argv[1])).fail("no " * 100, {}, {"timing": {"total": 1.5}, "environment": {"device": "cpu"}})
except OSError as error:
    print(OSError.__name__)
"""
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
    assert folder.facts("timing") == FACTS["timing"]
    assert folder.curve() == []


def test_run_facts_that_are_not_as_written_are_unknown(folder: CellFolder) -> None:
    folder.begin({"id": "x"})
    folder.finish({"tasks": {}}, [], {}, {"timing": {"total": 12.5}, "environment": {"device": "cpu"}})
    file = folder.path / "timing.json"
    file.write_text(file.read_text().replace("12.5", "12.4"))
    assert folder.facts("timing") == {} and folder.facts("environment") == {"device": "cpu"}
    assert folder.state() == "done", "a number hangs on none of them"
    file.write_text('{"total": 3.0}')
    assert folder.facts("timing") == {"total": 3.0}, "a record of before they were vouched for"


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
    "content",
    [
        b"", b'{"state": "do', b"[]", b"\xff\xfe", b"null", b"[" * 100_000, b'{"state": "failed"}',
        b'{"schema": 1, "state": "done"}', b'{"schema": 1, "state": "done", "files": []}',
        b'{"schema": 1, "state": "done", "files": {}}',
        b'{"schema": 1, "state": "done", "files": {"settings.json": 7}}',
        b'{"schema": 1, "state": "finished", "files": {}}', b'{"schema": 1, "state": "damaged", "files": {}}',
        b'{"schema": 1, "state": ["done"], "files": {}}', b'{"schema": 2, "state": "failed", "files": {}}',
        b'{"schema": 2, "state": "failed", "files": {}, "digest": "' + b"0" * 64 + b'"}',
    ],
)
def test_a_status_that_makes_no_sense_is_damage(finish: Finish, content: bytes) -> None:
    folder = finish()
    (folder.path / "status.json").write_bytes(content)
    assert folder.state() == "damaged"
    folder.begin({"id": "0123456789ab"})
    assert folder.state() == "pending" and folder.tries() == 0


def test_a_flipped_bit_of_a_status_is_damage_or_says_the_same(folder: CellFolder) -> None:
    folder.begin({"id": "a"})
    folder.fail("no", {"step": 0.1 + 0.2}, {})
    path = folder.path / "status.json"
    content, said = path.read_bytes(), folder.status()
    for place in range(0, 8 * len(content), 3):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        assert folder.state() == "damaged" or folder.status() == said, bytes(flipped)


def test_records_from_before_the_digest_are_read(finish: Finish) -> None:
    folder = finish()
    path = folder.path / "status.json"
    status = json.loads(path.read_text())
    del status["digest"]
    path.write_text(json.dumps(status))
    assert folder.state() == "damaged", "a new record has one"
    path.write_text(json.dumps(status | {"schema": 1}))
    assert folder.state() == "done" and folder.status()["files"] == status["files"]
    path.write_text(json.dumps(status | {"schema": 1, "state": "failed", "cause": "no"}))
    assert folder.state() == "failed" and folder.status()["cause"] == "no" and folder.tries() == 0


def test_failures_are_counted_over_beginnings(folder: CellFolder, finish: Finish) -> None:
    assert folder.tries() == 0
    folder.begin({"id": "a"})
    assert folder.tries() == 0 and not (folder.path / "status.json").exists()
    folder.fail("no", {}, FACTS)
    folder.fail("the process ended with exit code 9", {}, FACTS)
    assert folder.tries() == 1, "told of twice, it has failed once"
    folder.begin({"id": "a"})
    assert (folder.state(), folder.tries()) == ("pending", 1)
    folder.begin({"id": "a"})  # it was killed in between
    folder.fail("longer than 5 s", {"seconds": 5}, FACTS, "timeout")
    assert (folder.state(), folder.tries(), folder.status()["cause"]) == ("timeout", 2, "longer than 5 s")
    folder.begin({"id": "a"})
    assert finish().state() == "done" and folder.tries() == 0 and "tries" not in folder.status()


def test_a_record_can_be_forgotten(finish: Finish) -> None:
    folder = finish()
    folder.forget()
    folder.forget()
    assert folder.state() == "pending" and (folder.path / "scores.json").is_file()
    folder.begin({"id": "a"})
    folder.fail("no", {}, FACTS)
    folder.forget()
    assert folder.state() == "pending" and folder.tries() == 0


@pytest.mark.parametrize("content", [None, "", "[1]", "{"])
def test_run_facts_that_cannot_be_read_are_unknown(finish: Finish, content: str | None) -> None:
    folder = finish()
    assert folder.facts("timing") == FACTS["timing"]
    (folder.path / "timing.json").unlink()
    if content is not None:
        (folder.path / "timing.json").write_text(content)
    assert folder.facts("timing") == {} and folder.state() == "done"


@pytest.mark.skipif(os.name != "posix", reason="file size limits of POSIX")
@pytest.mark.parametrize("room", [0, 40, 200])
def test_a_full_disk_while_failing_is_told_and_leaves_no_half(folder: CellFolder, room: int) -> None:
    folder.begin({"id": "a"})
    done = subprocess.run([sys.executable, "-c", FULL, str(folder.path), str(room)], capture_output=True, text=True)
    assert done.stdout == "OSError\n", done.stderr
    assert folder.state() == "pending"
    assert {path.name for path in folder.path.iterdir()} <= {"settings.json", "timing.json", "environment.json"}
    folder.fail("no", {}, FACTS)
    assert folder.state() == "failed"


def test_a_thousand_finished_cells_are_checked_quickly(tmp_path: Path, finish: Finish) -> None:
    made = finish()
    for number in range(200):
        shutil.copytree(made.path, tmp_path / "cells" / f"cell-s0-{number:012x}")
    started = time.process_time()
    assert [one.state() for one in cell_folders(tmp_path)] == ["done"] * 200
    assert time.process_time() - started < 0.3, "1,000 take well under 2 s"


def test_damage_is_seen_although_the_record_was_whole_when_it_was_last_asked(finish: Finish) -> None:
    """Hashes of old files are remembered, so each file here is made an old one."""
    cell = finish()
    old = time.time_ns() - 60 * 10**9
    for path in cell.path.rglob("*.*"):
        os.utime(path, ns=(old, old))
    assert cell.state() == "done" and cell.state() == "done"
    scores = cell.path / "scores.json"
    scores.write_bytes(scores.read_bytes().replace(b"tasks", b"tasky"))
    os.utime(scores, ns=(old, old))
    assert cell.state() == "damaged"


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
