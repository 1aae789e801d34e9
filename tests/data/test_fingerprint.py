"""Hashes of files: right, remembered by their stamp, and not fooled by a change."""

from __future__ import annotations

import hashlib
import os

import pytest

from vlpbench.data import fingerprint as module
from vlpbench.data.errors import DataError
from vlpbench.data.fingerprint import file_digests, fingerprint


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(5):
        write(tmp_path / "images" / f"{number}.bin", bytes([number]) * 1000)
    return tmp_path / "images"


def write(path, content, at=1_000_000_000):
    path.write_bytes(content)
    os.utime(path, (at, at))


NAMES = [f"{n}.bin" for n in (3, 0, 4)]


def test_digests_are_sha256_in_the_order_asked(folder, cache):
    expected = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in NAMES}
    found = file_digests(folder, NAMES, cache)
    assert list(found.items()) == list(expected.items())
    assert file_digests(folder, [*NAMES, *NAMES], cache) == expected


def test_second_time_reads_nothing(folder, cache):
    heard = []
    first = file_digests(folder, NAMES, cache, lambda done, of: heard.append((done, of)))
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert file_digests(folder, NAMES, cache, lambda *_: pytest.fail("read again")) == first


def test_a_changed_file_alone_is_read_again(folder, cache):
    first = file_digests(folder, NAMES, cache)
    write(folder / "0.bin", b"\1" * 1000, at=1_000_000_001)
    heard = []
    second = file_digests(folder, NAMES, cache, lambda done, of: heard.append((done, of)))
    assert heard == [(1, 1)]
    assert second["0.bin"] != first["0.bin"]
    assert second["3.bin"] == first["3.bin"]


def test_a_file_just_written_is_not_remembered(folder, cache):
    (folder / "0.bin").write_bytes(b"one")
    stamp = (folder / "0.bin").stat().st_mtime_ns
    first = file_digests(folder, NAMES, cache)
    (folder / "0.bin").write_bytes(b"two")
    os.utime(folder / "0.bin", ns=(stamp, stamp))
    assert file_digests(folder, NAMES, cache)["0.bin"] != first["0.bin"]


DAMAGE = [b"", b"{", b"[]", b"\xff", b'{"version": 1, "files": {"0.bin": 5}}', b'{"version": 9}']


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_memory_is_made_again(folder, cache, damage):
    first = file_digests(folder, NAMES, cache)
    (memory,) = (cache / "stamps").iterdir()
    memory.write_bytes(damage)
    assert file_digests(folder, NAMES, cache) == first
    assert file_digests(folder, NAMES, cache, lambda *_: pytest.fail("read again")) == first


def test_missing_files_are_errors(folder, cache):
    with pytest.raises(DataError, match="cannot be read"):
        file_digests(folder, ["gone.bin"], cache)
    with pytest.raises(DataError, match="does not exist"):
        fingerprint({}, {"captions": folder / "gone.json"}, folder, NAMES, cache)


def test_what_counts(folder, cache):
    def taken(facts=None, role="train", name="0.bin", names=NAMES):
        return fingerprint(facts or {"kind": "x"}, {role: folder / name}, folder, names, cache)

    base = taken()
    assert base == taken(names=NAMES[::-1])
    others = {taken({"kind": "y"}), taken(role="val"), taken(name="1.bin"), taken(names=NAMES[:2])}
    assert len(others) == 4
    assert base not in others


def test_place_does_not_count(folder, cache, tmp_path):
    (folder.rename(tmp_path / "moved"))
    moved = tmp_path / "moved"
    first = fingerprint({}, {"a": moved / "0.bin"}, moved, NAMES, cache)
    moved.rename(folder)
    assert fingerprint({}, {"a": folder / "0.bin"}, folder, NAMES, cache) == first


def test_settled_is_longer_than_the_grain_of_file_times():
    assert module._SETTLED >= 2  # FAT counts in steps of two seconds
