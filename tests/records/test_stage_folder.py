"""A stage is whole with all its files, or it has not been run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from vlpbench.records import StageFolder, hashes, stage_folders
from vlpbench.records.stage_folder import SCHEMA

TOLD = {"flops": 7, "curve": [{"step": 0, "loss": 0.1 + 0.2}]}
CODE = {"objective/prefix-lm": "0f" * 32}
ROWS = [{"question_id": 1, "answers": ["a"], "probability": 0.5}]


def begun(results: Path, **decided_by: Any) -> StageFolder:
    made = StageFolder.of(results, "pretrain", decided_by)
    made.begin()
    made.checkpoint.mkdir(exist_ok=True)
    (made.checkpoint / "step-7.json").write_text("{}")
    return made


@pytest.fixture
def stage(tmp_path: Path) -> StageFolder:
    """A stage that has been run."""
    made = begun(tmp_path, seed=0)
    made.weights.write_bytes(b"weights")
    (made.path / "more").mkdir()
    (made.path / "more" / "tokenizer.json").write_text("{}")
    made.keep(ROWS)
    made.close(TOLD, CODE, {"seconds": 1.5})
    return made


def test_what_decides_it_names_it(tmp_path: Path) -> None:
    one = StageFolder.of(tmp_path, "pretrain", {"seed": 0, "lr": 1e-3})
    assert one == StageFolder.of(tmp_path, "pretrain", {"lr": 1e-3, "seed": 0}) == StageFolder(one.path)
    others = [{"seed": 1, "lr": 1e-3}, {"seed": 0}, {"seed": 0, "lr": 1e-4}]
    assert len({one, *(StageFolder.of(tmp_path, "pretrain", other) for other in others)}) == 4
    assert one.path.parent == tmp_path / "stages" and one.path.name.startswith("pretrain-")
    assert one.decided_by == {"seed": 0, "lr": 1e-3}


def test_it_tells_what_it_was_told(stage: StageFolder) -> None:
    for found in (stage, StageFolder(stage.path)):
        assert found.told() == TOLD and found.closed and found.code() == CODE and found.rows() == ROWS
        assert found.facts() == {"starts": 1, "seconds": 1.5}
    assert set(stage.said()["files"]) == {"weights.safetensors", "more/tokenizer.json", "predictions.parquet"}
    assert stage.said()["decided_by"] == {"seed": 0} and stage.said()["schema"] == SCHEMA
    assert not stage.checkpoint.exists()


def test_what_was_told_may_be_changed_by_who_asked(stage: StageFolder) -> None:
    told = stage.told()
    assert told is not None
    told["curve"].append("mine")
    assert stage.told() == TOLD


def test_without_the_last_file_it_has_not_been_run(tmp_path: Path) -> None:
    made = StageFolder.of(tmp_path, "pretrain", {})
    assert made.told() is None and made.code() == {} and made.facts() == {} and not made.closed
    made.begin()
    made.weights.write_bytes(b"weights")
    assert made.told() is None and not made.closed


@pytest.mark.parametrize("name", ["weights.safetensors", "more/tokenizer.json", "predictions.parquet"])
@pytest.mark.parametrize("how", ["gone", "cut", "flipped", "longer", "a folder"])
def test_a_file_that_is_not_as_written_has_not_been_run(stage: StageFolder, name: str, how: str) -> None:
    path = stage.path / name
    content = path.read_bytes()
    assert stage.told() == TOLD
    changed = {"cut": content[:-1], "flipped": bytes([content[0] ^ 1]) + content[1:], "longer": content + b"\n"}
    if how in changed:
        path.write_bytes(changed[how])
    else:
        path.unlink()
        if how == "a folder":
            path.mkdir()
    assert stage.told() is None and stage.closed
    if how in changed:
        path.write_bytes(content)
        assert stage.told() == TOLD


@pytest.mark.parametrize("name", ["run.json", ".weights.safetensors.abcd1234.safetensors", "more/.x", "checkpoint/a"])
def test_what_is_no_output_is_not_looked_at(stage: StageFolder, name: str) -> None:
    (stage.path / name).parent.mkdir(exist_ok=True)
    (stage.path / name).write_text("[")
    assert stage.told() == TOLD and StageFolder(stage.path).closed
    stage.close(TOLD)
    assert name not in stage.said()["files"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"files": 3}', '{"told": {}}', '{"told": {}, "weights": ""}', "[" * 99_999, "\ud800",
     '{"schema": 2, "told": {}, "files": {}, "code": {}, "decided_by": {}}'],
)
def test_a_damaged_word_has_not_been_run(stage: StageFolder, content: str) -> None:
    (stage.path / "stage.json").write_bytes(content.encode(errors="surrogatepass"))
    assert stage.told() is None and stage.code() == {} and stage.said() == {}


def test_a_flipped_bit_of_its_word_is_noticed_or_says_the_same(stage: StageFolder) -> None:
    path = stage.path / "stage.json"
    content, said = path.read_bytes(), stage.said()
    for place in range(0, 8 * len(content), 7):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        assert stage.said() in ({}, said), bytes(flipped)


def test_asking_often_reads_its_files_once(stage: StageFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (path for path in stage.path.rglob("*") if path.is_file()):
        os.utime(path, (time.time() - 60, time.time() - 60))
    read: list[Path] = []
    digest_file = hashes.digest_file
    monkeypatch.setattr(hashes, "digest_file", lambda path: (read.append(path), digest_file(path))[1])
    assert all(StageFolder(stage.path).told() == TOLD for _ in range(200))
    assert len(read) == len(stage.said()["files"])


def test_beginning_again_counts_and_keeps_the_checkpoint_alone(tmp_path: Path, stage: StageFolder) -> None:
    stage = begun(tmp_path, seed=0)
    assert not stage.closed and stage.facts() == {"starts": 2, "seconds": 1.5}
    halves = (".weights.safetensors.abcd1234.safetensors", ".stage.json.k3_2jd8a.json", "checkpoint/.a.0000000a")
    for name in halves:
        (stage.path / name).write_text("half, of a killed process")
    stage.begin()
    assert stage.facts()["starts"] == 3
    assert sorted(path.name for path in stage.path.rglob("*") if path.is_file()) == [
        "predictions.parquet", "run.json", "step-7.json", "tokenizer.json", "weights.safetensors"
    ]


@pytest.mark.parametrize("content", ["", "[]", '{"starts": "many"}', '{"starts": null}'])
def test_facts_that_cannot_be_read_are_no_reason_to_stop(stage: StageFolder, content: str) -> None:
    (stage.path / "run.json").write_text(content)
    assert stage.told() == TOLD and "seconds" not in stage.facts()
    stage.begin()
    assert stage.facts()["starts"] == 1


def test_facts_are_added_and_are_no_part_of_the_output(stage: StageFolder) -> None:
    stage.note({"seconds": 9, "peak_bytes": 7})
    assert stage.facts() == {"starts": 1, "seconds": 9, "peak_bytes": 7} and stage.told() == TOLD


def test_the_code_is_what_is_said_when_it_closes_or_was_known_before(tmp_path: Path) -> None:
    made = StageFolder.of(tmp_path, "pretrain", {"seed": 0}, CODE)
    assert made == StageFolder.of(tmp_path, "pretrain", {"seed": 0}), "code alone makes no other stage"
    made.close({})
    assert StageFolder(made.path).code() == CODE
    made.close({}, {"other": "1"})
    assert made.code() == {"other": "1"}


def test_forgetting_makes_it_run_again_from_its_start(tmp_path: Path, stage: StageFolder) -> None:
    stage.forget()
    assert stage.told() is None and not stage.closed
    made = begun(tmp_path, seed=1)
    made.forget()
    assert not made.checkpoint.exists() and made.path.is_dir()
    StageFolder(tmp_path / "nowhere").forget()


def test_a_checkpoint_left_by_a_stage_that_closed_is_tidied_away(stage: StageFolder, tmp_path: Path) -> None:
    stage.checkpoint.mkdir()
    stage.tidy()
    assert not stage.checkpoint.exists() and stage.told() == TOLD
    going = begun(tmp_path, seed=1)
    going.tidy()
    assert going.checkpoint.is_dir()


def test_equal_stages_are_equal_bytes_however_often_they_began(tmp_path: Path) -> None:
    words = []
    for name, starts in (("one", 1), ("two", 3)):
        for _ in range(starts):
            made = begun(tmp_path / name, seed=0)
        made.weights.write_bytes(b"weights")
        made.close(TOLD, CODE, {"seconds": starts})
        words.append((made.path / "stage.json").read_bytes())
    assert words[0] == words[1]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(tmp_path: Path, value: float) -> None:
    made = begun(tmp_path, seed=0)
    with pytest.raises(ValueError, match="Out of range"):
        made.close({"loss": value})
    assert made.told() is None and made.checkpoint.is_dir()


FULL = """
import resource, sys
from pathlib import Path
from vlpbench.records import StageFolder
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
StageFolder(Path(sys.argv[1])).close({"a": "b" * 100})
"""


def test_a_full_disk_while_closing_keeps_the_checkpoint(tmp_path: Path) -> None:
    made = begun(tmp_path, seed=0)
    done = subprocess.run([sys.executable, "-c", FULL, str(made.path)], capture_output=True, text=True)
    assert "OSError" in done.stderr or "File too large" in done.stderr
    assert not made.closed and made.checkpoint.is_dir()
    assert sorted(path.name for path in made.path.iterdir()) == ["checkpoint", "run.json"]


def test_all_stages_of_a_grid_are_listed(tmp_path: Path, stage: StageFolder) -> None:
    other = begun(tmp_path, seed=1)
    (tmp_path / "stages" / "notes.txt").write_text("mine")
    (tmp_path / "stages" / ".hidden").mkdir()
    assert set(stage_folders(tmp_path)) == {stage, other}
    assert list(stage_folders(tmp_path / "nowhere")) == []
