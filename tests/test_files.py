"""Whole or nothing: a reader finds the old file or the new one, whatever happens to the writer."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vlpbench.files import (
    UnsafeName,
    digest,
    digest_file,
    forget_halves,
    inside,
    readable,
    write_json,
    write_text,
    written_whole,
)

WRITER = """
import os, signal, sys
from pathlib import Path
from vlpbench.files import written_whole
with written_whole(Path(sys.argv[1])) as temporary:
    temporary.write_text("half of the n")
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))
    temporary.write_text("never reached")
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def break_off(path: Path, error: type[BaseException]) -> None:
    """Write one half, then raise."""
    with written_whole(path) as temporary:
        temporary.write_text("half of the n")
        raise error("stop")


def test_text_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "note.txt"
    for text in ("old, long enough to be cut", "neu: ä\n"):
        write_text(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert names(path.parent) == ["note.txt"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_middle_leaves_the_old_file_and_no_rubbish(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "note.txt"
    write_text(path, "old")
    with pytest.raises(error):
        break_off(path, error)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["note.txt"]


def test_an_error_in_the_middle_of_a_first_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"):
        break_off(tmp_path / "new.txt", ValueError)
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("how", "rubbish"), [("SIGINT", 0), ("SIGKILL", 1)])
def test_a_killed_writer_leaves_the_old_file(tmp_path: Path, how: str, rubbish: int) -> None:
    """Nobody can tidy up after SIGKILL: what is left then is one hidden file, never the file itself."""
    path = tmp_path / "note.json"
    write_text(path, "old")
    done = subprocess.run([sys.executable, "-c", WRITER, str(path), how], capture_output=True, check=False)
    assert done.returncode == -getattr(signal, how) or how == "SIGINT"
    assert done.returncode != 0
    assert path.read_text() == "old"
    rest = [name for name in names(tmp_path) if name != "note.json"]
    assert len(rest) == rubbish
    assert all(name.startswith(".note.json.") for name in rest)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["note.json", "note", "b/predictions.parquet", "weights.v2.safetensors", ".hidden"])
def test_what_killed_writers_left_is_forgotten_and_nothing_else(tmp_path: Path, name: str) -> None:
    kept = [".gitignore", ".DS_Store", ".note.json.swp", "note.abcd1234.json", ".cache/x.abcd1234", "..abcd1234.a.b"]
    for one in [*kept, name]:
        write_text(tmp_path / one, "old")
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path / name), "SIGKILL"], capture_output=True, check=False)
    (left,) = [path for path in tmp_path.rglob("*") if path.is_file() and "half" in path.read_text()]
    forget_halves(tmp_path, older=3600)
    assert left.is_file(), "it may be of a process that still writes"
    then = time.time() - 7200
    os.utime(left, (then, then))
    forget_halves(tmp_path, older=3600)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        {*kept, name}
    )


def test_halves_are_forgotten_whatever_the_clock_says(tmp_path: Path) -> None:
    half = tmp_path / ".note.json.abcd1234.json"
    half.write_text("half")
    os.utime(half, (time.time() + 1e6, time.time() + 1e6))
    forget_halves(tmp_path)
    forget_halves(tmp_path / "nowhere")
    assert names(tmp_path) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [1, -float("inf")]}])
def test_json_refuses_what_is_no_number(tmp_path: Path, value: object) -> None:
    path = tmp_path / "scores.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="Out of range"):
        write_json(path, value)
    assert json.loads(path.read_text()) == {"a": 1}
    assert names(tmp_path) == ["scores.json"]
    with pytest.raises(ValueError, match="Out of range"):
        digest(value)


def test_equal_values_are_equal_bytes(tmp_path: Path) -> None:
    write_json(tmp_path / "one", {"b": [1, 2.5, None], "a": "ß"})
    write_json(tmp_path / "two", {"a": "ß", "b": [1, 2.5, None]})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert "ß" in (tmp_path / "one").read_text(encoding="utf-8")


def test_digest_is_that_of_canonical_json() -> None:
    assert digest({"b": 1, "a": [True, None]}) == hashlib.sha256(b'{"a":[true,null],"b":1}').hexdigest()
    assert digest((1, 2)) == digest([1, 2])
    assert len({digest(value) for value in (1, "1", [1], {"1": 1}, 1.5)}) == 5


def test_digest_of_a_file_is_told_of_its_blocks(tmp_path: Path) -> None:
    content = os.urandom((1 << 20) + 7)
    (tmp_path / "large").write_bytes(content)
    heard: list[int] = []
    assert digest_file(tmp_path / "large", heard.append) == hashlib.sha256(content).hexdigest()
    assert heard == [1 << 20, 7]


@pytest.mark.parametrize("name", ["a.jpg", "deep/er/a.jpg", "a/../b.jpg", "..a", "ä b.jpg"])
def test_names_that_stay_inside(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", ["", "a\0b", "..", "../a", "a/../../b", "/etc/passwd", "."])
def test_names_that_leave(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeName):
        inside(tmp_path, name)


def test_an_absolute_name_is_refused_even_where_it_points_inside(tmp_path: Path) -> None:
    with pytest.raises(UnsafeName):
        inside(tmp_path, str(tmp_path / "a.jpg"))


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (tmp_path / "secret").write_text("x")
    (folder / "out.jpg").symlink_to(tmp_path / "secret")
    (folder / "in.jpg").symlink_to(folder / "there.jpg")
    with pytest.raises(UnsafeName, match="images"):
        inside(folder, "out.jpg")
    assert inside(folder, "in.jpg") == folder / "in.jpg"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("prefix-lm, blind", "prefix-lm-blind"),
        ("../../etc", "etc"),
        ("lr=3e-4 / a\\b", "lr-3e-4-a-b"),
        ("", "x"),
        ("…", "x"),
        (".hidden.", "hidden"),
        ("a" * 100, "a" * 60),
    ],
)
def test_readable_names(tmp_path: Path, text: str, name: str) -> None:
    assert readable(text) == name
    assert inside(tmp_path, name).parent == tmp_path
