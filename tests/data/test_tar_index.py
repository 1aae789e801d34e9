"""What a tar of samples holds: grouped as webdataset does, refused where it must be, remembered until it changes."""

from __future__ import annotations

import json
import os
import tarfile

import pytest

from vlpbench.data import tar_index as module
from vlpbench.data.errors import DataError
from vlpbench.data.tar_index import Keys, tar_index

NONE = Keys("", "")


@pytest.fixture
def index(cache):
    return lambda path, keys=NONE: tar_index(path, keys, cache)


def told(found):
    problems = [(one.where, one.what) for one in found.problems]
    return [(sample.name, sample.captions) for sample in found.samples], problems


def old(path):
    """A file that was written long ago, so that its stamp is believed."""
    os.utime(path, (1e9, 1e9))
    return path


def test_samples_in_the_order_of_the_file(tar, jpeg, index):
    members = [("2.txt", " two\n words\t\x07here "), ("2.jpg", jpeg()),
               ("a/1.PNG", jpeg("blue", "PNG")), ("a/1.txt", "one"),
               ("1.seg.png", b"no picture of a sample"), ("readme", "x"), ("__meta__.json", "{}"),
               ("3.webp", jpeg("red", "WEBP")), ("3.cls", "7"), ("3.txt", b"\xef\xbb\xbfthree")]
    found = index(tar("a.tar", members))
    assert told(found) == ([("2.jpg", ("two words here",)), ("a/1.PNG", ("one",)), ("3.webp", ("three",))], [])


@pytest.mark.parametrize(("members", "said"), [
    ([("1.jpg", b"x")], ("1", "has no caption: no .txt, and `captions` names no key of .json")),
    ([("1.txt", "x")], ("1", "has no picture")),
    ([("1.jpg", b"x"), ("1.png", b"x"), ("1.txt", "x")], ("1", "has 2 pictures")),
    ([("1.jpg", b"x"), ("1.txt", " \n")], ("1", "caption is empty")),
    ([("1.jpg", b"x"), ("1.txt", b"\xff\xfe")], ("1", "has a text that is not UTF-8")),
    ([("1.jpg", b"x"), ("../1.txt", b"x")], ("../1.txt", "has a name that leads out of the folder")),
    ([("1.jpg", b"x"), ("1.pyd", b"x")], ("1.pyd", "is a pickle, which could run a program when it is opened")),
    ([("1.x.Pickle", b"x")], ("1.x.Pickle", "is a pickle, which could run a program when it is opened")),
    ([("1.jpg", b"x"), ("1.txt", b"x" * ((1 << 20) + 1))], ("1.txt", "has 1,048,577 bytes, more than 1,048,576")),
])
def test_what_cannot_be_used_is_named(tar, jpeg, index, members, said):
    whole = [("0.jpg", jpeg()), ("0.txt", "good")]
    samples, problems = told(index(tar("a.tar", [*whole, *members, ("9.jpg", jpeg()), ("9.txt", "good")])))
    assert samples == [("0.jpg", ("good",)), ("9.jpg", ("good",))]
    assert said in problems


def test_links_and_repeats_leave_the_first(tar, jpeg, index):
    link = tarfile.TarInfo("1.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    one, two = jpeg("red"), jpeg("blue")
    members = [("1.jpg", one), ("1.txt", "one"), link, ("1.txt", "more"), ("2.jpg", two), ("2.txt", "two"),
               ("1.jpg", two), ("1.txt", "again")]
    samples, problems = told(index(tar("a.tar", members)))
    assert samples == [("1.jpg", ("one",)), ("2.jpg", ("two",))]
    assert problems == [("1.png", "is a symbolic link"), ("1.txt", "is there twice; the first was kept"),
                        ("1", "is there twice in the tar; the first was kept")]


def test_a_picture_too_large_to_be_one(tar, index, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST", 10)
    path = tar("a.tar", [("1.jpg", b"x" * 11), ("1.txt", "x")])
    assert told(index(path)) == ([], [("1", "has a picture of 11 bytes, more than 10")])


@pytest.mark.parametrize(("said", "keys", "captions", "label", "wrong"), [
    ({"c": "one"}, Keys("c", ""), ("text", "one"), "", ""),
    ({"c": ["one", "text", "two"]}, Keys("c", ""), ("text", "one", "two"), "", ""),
    ({"c": "one"}, NONE, ("text",), "", ""),
    ({"c": "one", "l": " dog "}, Keys("", "l"), ("text",), "dog", ""),
    ({"l": 0}, Keys("", "l"), ("text",), "0", ""),
    ({}, Keys("c", ""), ("text",), "", ""),
    ({"c": 3}, Keys("c", ""), None, "", "caption is not a text"),
    ({"c": ["one", None]}, Keys("c", ""), None, "", "caption is missing"),
    ({"c": [[]]}, Keys("c", ""), None, "", "caption is not a text"),
    ({"c": "\ud800"}, Keys("c", ""), None, "", "caption holds half a character (a lone surrogate)"),
    ({}, Keys("", "l"), None, "", "label is empty"),
    ({"l": True}, Keys("", "l"), None, "", "label is not a text"),
    ({"l": ["a"]}, Keys("", "l"), None, "", "label is not a text"),
    ([], Keys("c", ""), None, "", "has a JSON file that is no object"),
])
def test_keys_of_the_json_file(tar, jpeg, index, said, keys, captions, label, wrong):
    path = tar("a.tar", [("1.jpg", jpeg()), ("1.json", json.dumps(said)), ("1.txt", "text")])
    found = index(path, keys)
    assert [(sample.captions, sample.label) for sample in found.samples] == ([] if wrong else [(captions, label)])
    assert [problem.what for problem in found.problems] == ([wrong] if wrong else [])


@pytest.mark.parametrize("raw", [b"{", b"", b"\xff", b"[" * 100_000, b"9" * 10_000])
def test_json_that_is_none_spoils_its_sample_alone(tar, jpeg, index, raw):
    members = [("1.jpg", jpeg()), ("1.json", raw), ("1.txt", "a"), ("2.jpg", jpeg()), ("2.txt", "b")]
    path = tar("a.tar", members)
    found = index(path, Keys("c", ""))
    assert [sample.name for sample in found.samples] == ["2.jpg"]
    assert len(found.problems) == 1
    assert len(index(path).samples) == 2  # nobody asked for it


def test_read_once_until_it_changes(tar, jpeg, index, cache, monkeypatch):
    members = [("1.jpg", jpeg()), ("1.txt", "one")]
    path = old(tar("a.tar", members))
    first = index(path)
    read = module._read
    monkeypatch.setattr(module, "_read", lambda *said: pytest.fail("read again"))
    assert index(path) == first
    monkeypatch.setattr(module, "_read", read)
    tar("a.tar", [*members, ("2.jpg", jpeg()), ("2.txt", "two")])
    assert len(index(path).samples) == 2
    assert index(path).digest != first.digest
    assert len(index(path, Keys("c", "")).samples) == 2
    assert len(list((cache / "shards").glob("*.json"))) == 1  # the last is too young to be believed


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "list", "rows", "folder"])
def test_what_is_remembered_may_be_damaged(tar, jpeg, index, cache, harm):
    path = old(tar("a.tar", [("1.jpg", jpeg()), ("1.txt", "one")]))
    first = index(path)
    (file,) = (cache / "shards").glob("*.json")
    raw = file.read_bytes()
    if harm == "folder":
        file.unlink()
    else:
        file.write_bytes({"cut": raw[:-9], "flipped": raw.replace(b'"one"', b'"two"'), "empty": b"", "list": b"[]\n[]",
                          "rows": raw.partition(b"\n")[0] + b"\n{}"}[harm])
    assert index(path) == first


def test_a_tar_that_is_cut_is_remembered_by_nobody(tar, jpeg, index, cache):
    path = tar("a.tar", [("1.jpg", jpeg()), ("1.txt", "one")])
    whole = path.read_bytes()
    path.write_bytes(whole[:1300])
    for _ in range(2):
        with pytest.raises(DataError, match=r"a.tar is cut short: it ends at byte 1300"):
            index(old(path))
    path.write_bytes(whole)
    assert len(index(path).samples) == 1


def test_no_tar_at_all(root, index):
    with pytest.raises(DataError, match="does not exist"):
        index(root / "set" / "gone.tar")
    with pytest.raises(DataError, match="is no file"):
        index(root / "set")


def test_a_pickle_is_never_opened(tar, jpeg, index, tmp_path):
    evil = b"cos\nmkdir\n(S'%s'\ntR." % str(tmp_path / "ran").encode()  # makes a folder when it is opened
    found = index(tar("a.tar", [("1.jpg", evil), ("1.pyd", evil), ("1.json", evil), ("1.txt", evil)]), Keys("c", "l"))
    assert [problem.where for problem in found.problems] == ["1.pyd", "1"]
    assert not (tmp_path / "ran").exists()
