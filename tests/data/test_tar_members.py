"""One pass over a tar: what tarfile finds is found where it lies; hostile, cut and damaged tars are refused by name."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile

import pytest

from vlpbench.data.errors import DataError
from vlpbench.data.tar_members import LONGEST_TEXT, TarReader

FORMS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
LONG = "a/" * 40 + "b" * 90 + ".txt"
MEMBERS = [("1.txt", "one"), ("./2.jpg", b"\0" * 5000), ("c/3.empty", b""), (LONG, "long"), ("4.txt", b"x" * 512)]


def read(path, wanted=lambda name: True):
    return list(TarReader(path, wanted))


def info(name, kind=tarfile.REGTYPE, **facts):
    made = tarfile.TarInfo(name)
    made.type = kind
    for fact, value in facts.items():
        setattr(made, fact, value)
    return made


@pytest.mark.parametrize("form", FORMS)
def test_what_tarfile_finds_is_found_where_it_lies(tar, form):
    path = tar("a.tar", [info("folder", tarfile.DIRTYPE), *MEMBERS], form)
    reader = TarReader(path, lambda name: name.endswith("txt"))
    found, raw = list(reader), path.read_bytes()
    assert [member.name for member in found] == [name.removeprefix("./") for name, _ in MEMBERS]
    with tarfile.open(path) as file:
        expected = [one for one in file if one.isfile()]
        for mine, theirs in zip(found, expected, strict=True):
            content = file.extractfile(theirs).read()
            assert (mine.offset, mine.size) == (theirs.offset_data, theirs.size)
            assert raw[mine.offset : mine.offset + mine.size] == content
            assert mine.digest == hashlib.sha256(content).hexdigest()
            assert mine.content == (content if mine.name.endswith("txt") else None)
            assert mine.wrong == ""
    assert reader.digest == hashlib.sha256(raw).hexdigest()


def test_names_beyond_ascii_and_sizes_in_pax_headers(tar):
    path = tar("a.tar", [("Käse \U0001f9c0.txt", "a")])
    assert [member.name for member in read(path)] == ["Käse \U0001f9c0.txt"]
    made = info("big.txt", pax_headers={"size": "3"})
    made.size = 3
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as file:
        file.addfile(made, io.BytesIO(b"abc"))
    assert [member.content for member in read(path)] == [b"abc"]


def test_a_large_member_is_not_held(tar):
    path = tar("a.tar", [("a.txt", b"x" * LONGEST_TEXT), ("b.txt", b"x" * (LONGEST_TEXT + 1))])
    assert [member.content is None for member in read(path)] == [False, True]


@pytest.mark.parametrize(("kind", "said"), [
    (tarfile.SYMTYPE, "symbolic link"), (tarfile.LNKTYPE, "hard link"), (tarfile.CHRTYPE, "device"),
    (tarfile.BLKTYPE, "device"), (tarfile.FIFOTYPE, "pipe"), (b"V", "not known"),
])
def test_what_is_no_file_is_refused_by_name(tar, kind, said):
    path = tar("a.tar", [("1.txt", "one"), info("evil.jpg", kind, linkname="/etc/passwd"), ("2.txt", "two")])
    found = read(path)
    assert [member.name for member in found] == ["1.txt", "evil.jpg", "2.txt"]
    assert said in found[1].wrong
    assert not found[0].wrong and found[2].content == b"two"


@pytest.mark.parametrize("name", ["../up.txt", "/etc/passwd", "a/../../b.txt", "a\\\\b.txt", "C:b.txt", ".."])
def test_names_never_lead_out(tar, name):
    (member,) = read(tar("a.tar", [(name.replace("\\\\", "\\"), "x")]))
    assert member.wrong == "has a name that leads out of the folder"


@pytest.mark.parametrize("name", ["a//b.txt", "a/./b.txt", "a\nb.txt", "\x1b[2Jb.txt", "a\u202eb.txt"])
def test_names_that_are_no_plain_path(tar, name):
    (member,) = read(tar("a.tar", [(name, "x")]))
    assert member.wrong == "has a name that is no plain path"


def test_a_name_that_is_not_utf8(tar):
    path = tar("a.tar", [("xx.txt", "x")], tarfile.GNU_FORMAT)
    raw = bytearray(path.read_bytes())
    raw[0] = 0xFF
    raw[148:156] = b"%06o\0 " % (sum(raw[:148]) + 8 * 32 + sum(raw[156:512]))
    path.write_bytes(raw)
    (member,) = read(path)
    assert member.wrong == "has a name that is not UTF-8" and member.name == "\\xffx.txt"


@pytest.mark.parametrize("form", FORMS)
def test_wherever_it_is_cut_it_says_so_with_the_place(tar, form):
    path = tar("a.tar", MEMBERS, form)
    raw = path.read_bytes()
    end = len(raw.rstrip(b"\0")) + 1
    for at in [*range(1, end, 97), *range(512, end, 512)]:
        path.write_bytes(raw[:at])
        with pytest.raises(DataError) as caught:
            read(path)
        assert "a.tar" in caught.value.cause
        assert f"it ends at byte {at}" in caught.value.cause or at < 512


def test_no_byte_of_a_header_can_change_unseen_or_crash_it(tar):
    path = tar("a.tar", MEMBERS, tarfile.GNU_FORMAT)
    raw = path.read_bytes()
    for at in range(512):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 0x15]) + raw[at + 1 :])
        with pytest.raises(DataError, match=r"a\.tar is not a tar"):
            read(path)
    later = 1024 + 20
    path.write_bytes(raw[:later] + b"X" + raw[later + 1 :])
    with pytest.raises(DataError, match="at byte 1024 stands no header"):
        read(path)


def forged(path, field, value):
    """Another value in the first header, with a sum that fits."""
    raw = bytearray(path.read_bytes())
    raw[field : field + len(value)] = value
    raw[148:156] = b"%06o\0 " % (sum(raw[:148]) + 8 * 32 + sum(raw[156:512]))
    path.write_bytes(raw)


@pytest.mark.parametrize("size", [
    b"-0000000001\0", b"9999\0\0\0\0\0\0\0\0", b"\xff" * 12, b"77777777777\0", b"\x80" + b"\xff" * 11,
])
def test_sizes_that_cannot_be(tar, size):
    path = tar("a.tar", [("1.txt", "one")], tarfile.GNU_FORMAT)
    forged(path, 124, size)
    with pytest.raises(DataError, match=r"has no size|is cut short"):
        read(path)


@pytest.mark.parametrize("kind", [b"L", b"x", b"K", b"g"])
def test_a_header_without_end_is_not_read_into_memory(tar, kind):
    path = tar("a.tar", [("1.txt", b"x" * 600)], tarfile.GNU_FORMAT)
    forged(path, 156, kind)
    forged(path, 124, b"77777777777\0")
    with pytest.raises(DataError, match="no name is that long"):
        read(path)


@pytest.mark.parametrize("said", [
    b"8 path=a\n", b"x", b"0 path=a\n", b"12 path=abcde", b"999999 path=a\n", b"13 size=-100\n",
    b"23 GNU.sparse.major=1\n\n",
])
def test_pax_headers_that_cannot_be(tar, said):
    path = tar("a.tar", [("pax", said), ("1.txt", "one")], tarfile.GNU_FORMAT)
    forged(path, 156, b"x")
    with pytest.raises(DataError, match=r"cannot be read|has no size|sparse"):
        read(path)


def test_tars_that_are_none(root, tar):
    path = tar("a.tar", MEMBERS)
    raw = path.read_bytes()
    for content, said in [(b"", "too short"), (b"x" * 100, "too short"), (b"x" * 5000, "is not a tar"),
                          (gzip.compress(bytes(range(256)) * 40, 0), r"compressed \(gzip\)"),
                          (raw + raw, "goes on after its end")]:
        path.write_bytes(content)
        with pytest.raises(DataError, match=said):
            read(path)
    path.unlink()
    (root / "set" / "b.tar").touch()
    with pytest.raises(DataError, match="does not exist") as caught:
        read(path)
    assert "did you mean 'b.tar'" in caught.value.remedy
    with pytest.raises(DataError, match="cannot be read"):
        read(root / "set")


def test_an_empty_tar_has_no_members(tar):
    assert read(tar("a.tar", [])) == []
