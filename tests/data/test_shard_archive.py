"""Pictures read from tars at their places: the very bytes, few files open, changes noticed."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from vlpbench.data import shard_archive as module
from vlpbench.data.errors import DataError
from vlpbench.data.shard_archive import ShardArchive
from vlpbench.data.tar_index import Keys, tar_index

TARS = ["a.tar", "sub/b.tar", "a.tar.tar"]


def content(tar, member):
    return f"{tar} {member}".encode() * 300


@pytest.fixture
def archive(tar, root, cache):
    for name in TARS:
        pictures = [(f"x/{member}.jpg", content(name, member)) for member in "123"]
        tar(name, [one for picture in pictures for one in (picture, (picture[0].replace("jpg", "txt"), "a"))])
    folder = root / "set"
    return ShardArchive(folder, TARS, lambda name: tar_index(folder / name, Keys("", ""), cache), 2)


NAMES = [(f"{tar}/x/{member}.jpg", content(tar, member)) for tar in TARS for member in "123"]


@pytest.mark.parametrize("pread", [True, False])
def test_the_very_bytes_also_for_many_threads_and_few_files(archive, monkeypatch, pread):
    monkeypatch.setattr(module, "_OPEN", 1)
    if not pread:
        monkeypatch.delattr(os, "pread")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(archive.read, [name for name, _ in NAMES] * 20))
    assert found == [held for _, held in NAMES] * 20
    assert len(archive._files) == 1


def test_files_are_closed(archive, monkeypatch):
    monkeypatch.setattr(module, "_OPEN", 1)
    handles = set()
    for name, _ in NAMES:
        archive.read(name)
        handles |= {file.handle for file in archive._files.values()}
    assert len(handles) <= 2  # numbers are used again


def test_digests_and_numbers(archive):
    names = [name for name, _ in NAMES][::-1]
    assert archive.digests(names) == {name: hashlib.sha256(held).hexdigest() for name, held in NAMES}
    assert list(archive.digests(names)) == names
    assert [archive.part(name) for name, _ in NAMES] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert archive.together == 2


@pytest.mark.parametrize("name", ["", "x/1.jpg", "c.tar/x/1.jpg", "a.tar", "a.tar/x/9.jpg", "a.tar/x/1.txt",
                                  "../a.tar/x/1.jpg", "a.tar/../../etc/passwd", "/etc/passwd"])
def test_other_names_are_refused(archive, name):
    with pytest.raises(DataError):
        archive.read(name)


def test_a_tar_that_changed_or_is_gone(archive, root):
    path = root / "set" / "a.tar"
    archive.digests(["a.tar/x/1.jpg"])
    raw = path.read_bytes()
    path.write_bytes(raw[:600] + b"?" + raw[601:])
    with pytest.raises(DataError, match=r"a\.tar has changed since it was looked through: 'x/1\.jpg'"):
        archive.read("a.tar/x/1.jpg")
    path.write_bytes(raw[:700])
    with pytest.raises(DataError, match="has changed"):
        archive.read("a.tar/x/2.jpg")
    archive.digests(["sub/b.tar/x/1.jpg"])
    (root / "set" / "sub" / "b.tar").unlink()
    with pytest.raises(DataError, match="cannot be read: No such file"):
        archive.read("sub/b.tar/x/1.jpg")
