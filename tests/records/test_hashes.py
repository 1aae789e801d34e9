"""A hash is that of the file's bytes, whether it was computed or remembered."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from vlpbench.records import hashes
from vlpbench.records.hashes import hash_of


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read."""
    found: list[Path] = []
    digest_file = hashes.digest_file
    monkeypatch.setattr(hashes, "digest_file", lambda path: (found.append(path), digest_file(path))[1])
    return found


def aged(path: Path, content: bytes, seconds: int) -> Path:
    path.write_bytes(content)
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - seconds * 10**9))
    return path


def test_a_file_that_stays_is_read_once(tmp_path: Path, read: list[Path]) -> None:
    path = aged(tmp_path / "weights", b"weights", 60)
    assert {hash_of(path) for _ in range(1000)} == {sha(b"weights")}
    assert len(read) == 1


def test_a_file_that_has_just_been_written_is_read_each_time(tmp_path: Path, read: list[Path]) -> None:
    """It may be written again within one tick of the file system's clock, with as many bytes."""
    path = aged(tmp_path / "weights", b"weights", 0)
    assert hash_of(path) == sha(b"weights")
    path.write_bytes(b"weightz")
    assert hash_of(path) == sha(b"weightz") and len(read) == 2


@pytest.mark.parametrize("content", [b"weightz", b"longer than it was", b""])
def test_another_content_of_the_same_age_is_noticed(tmp_path: Path, content: bytes) -> None:
    path = aged(tmp_path / "weights", b"weights", 60)
    then = path.stat()
    assert hash_of(path) == sha(b"weights")
    path.write_bytes(content)
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert hash_of(path) == sha(content)


def test_what_is_not_there_has_none(tmp_path: Path) -> None:
    assert hash_of(tmp_path / "weights") is None and hash_of(tmp_path) is None
    path = aged(tmp_path / "weights", b"weights", 60)
    assert hash_of(path) is not None
    path.unlink()
    assert hash_of(path) is None
