"""The members of a tar file in one pass from front to end: what each holds is hashed, and nothing is ever unpacked.

Read are plain files of the forms v7, ustar, GNU and pax (POSIX.1-2001, "pax Interchange Format"). Whatever a tar could
do beside giving files, such as links and devices, is refused by name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from vlpbench.data.errors import DataError
from vlpbench.data.sources.json_file import missing

__all__ = ["LONGEST_TEXT", "Member", "TarReader"]

LONGEST_TEXT = 1 << 20
"""Bytes of a text or JSON member, at most."""

_BLOCK = 512
_CHUNK = 1 << 20
_LONGEST_NAME = 1 << 16
"""Bytes of a header that holds a long name, at most: no path is longer."""

_FILES, _FOLDER, _LONG_NAME, _LONG_LINK, _PAX, _PAX_ALL = b"0\x007", b"5", b"L", b"K", b"x", b"g"
_REFUSED = {
    b"1": "is a hard link", b"2": "is a symbolic link", b"3": "is a device", b"4": "is a device", b"6": "is a pipe",
    b"S": "is a sparse file",
}
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"(\xb5": "zstandard"}


@dataclass(frozen=True)
class Member:
    """One member of a tar, in the order of the file."""

    name: str
    """Its path, "./" before it taken away."""
    offset: int
    """Where its bytes begin."""
    size: int
    """How many there are."""
    digest: str
    """SHA-256 (hex) of the bytes."""
    content: bytes | None
    """The bytes themselves, if they were wanted and are at most `LONGEST_TEXT`."""
    wrong: str = ""
    """Why it cannot be used: a link, a device, a name that leads out of the folder."""


class TarReader:
    """One pass over a tar. `digest` is the SHA-256 (hex) of the whole file when all members were given."""

    def __init__(self, path: Path, wanted: Callable[[str], bool]) -> None:
        """`wanted(name)` says of which members the content is kept."""
        self.path, self.wanted = path, wanted
        self._all, self._at = hashlib.sha256(), 0

    @property
    def digest(self) -> str:
        """Of all bytes read so far."""
        return self._all.hexdigest()

    def __iter__(self) -> Iterator[Member]:
        """All members that are no folders. DataError with the place for a tar that is cut short, damaged or none."""
        try:
            with self.path.open("rb") as file:
                yield from self._members(file)
        except FileNotFoundError:
            raise missing(self.path) from None
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}", "check the file and the disk") from None

    def _members(self, file: BinaryIO) -> Iterator[Member]:
        long_name, sizes = b"", b""
        while True:
            begun = self._at
            header = self._take(file, _BLOCK, "where a member or the end of the tar should stand")
            if not any(header):
                self._end(file)
                return
            self._sound(header, begun)
            kind, size = header[156:157], self._size(header[124:136], begun)
            if kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_ALL):
                said = self._header(file, size, begun)
                if kind == _LONG_NAME:
                    long_name = said.rstrip(b"\0")
                elif kind == _PAX:
                    records = self._records(said, begun)
                    long_name, sizes = records.get(b"path", long_name), records.get(b"size", b"")
                    if not (sizes or b"0").isdigit():
                        raise self._error(f"is damaged: the header at byte {begun} has no size", "write the tar again")
                continue
            raw = long_name or _name(header)
            if kind == _FOLDER or (kind in _FILES and raw.endswith(b"/")):
                long_name, sizes = b"", b""
                continue
            yield self._member(file, raw, kind, int(sizes) if sizes else size)
            long_name, sizes = b"", b""

    def _member(self, file: BinaryIO, raw: bytes, kind: bytes, size: int) -> Member:
        name, wrong = _checked(raw)
        offset = self._at
        if kind not in _FILES:  # links and devices have no bytes, whatever they say of their size
            wrong = _REFUSED.get(kind, f"is of a kind {kind!r} that is not known")
            if kind in _REFUSED and kind != b"S":
                return Member(name, offset, 0, "", None, wrong)
        state = hashlib.sha256()
        kept: list[bytes] | None = [] if self.wanted(name) and size <= LONGEST_TEXT else None
        left = size
        while left:
            block = self._take(file, min(left, _CHUNK), f"within {name!r}, which begins at byte {offset}")
            state.update(block)
            if kept is not None:
                kept.append(block)
            left -= len(block)
        self._take(file, -size % _BLOCK, f"behind {name!r}")
        return Member(name, offset, size, state.hexdigest(), None if kept is None else b"".join(kept), wrong)

    def _take(self, file: BinaryIO, size: int, where: str) -> bytes:
        """The next `size` bytes; DataError if the file ends before."""
        block = file.read(size)
        self._all.update(block)
        self._at += len(block)
        if len(block) < size:
            if self._at < _BLOCK:
                raise self._error("is too short to be a tar", "name tar files alone")
            raise self._error(f"is cut short: it ends at byte {self._at}, {where}", "fetch or write the tar again")
        return block

    def _end(self, file: BinaryIO) -> None:
        """What follows the end of a tar is nothing."""
        while block := file.read(_CHUNK):
            if any(block):
                raise self._error(f"goes on after its end at byte {self._at - _BLOCK}",
                                  "write one tar: joined tars (cat) are read by no one as a whole")
            self._all.update(block)
            self._at += len(block)

    def _sound(self, header: bytes, begun: int) -> None:
        """Refuse what is no header of a tar: the sum of its bytes tells."""
        plain = header[:148] + b" " * 8 + header[156:]
        signed = sum(byte - 256 if byte > 127 else byte for byte in plain)  # as some old programs counted
        try:
            said = int(header[148:156].strip(b" \0") or b"x", 8)
        except ValueError:
            said = -1
        if said in (sum(plain), signed):
            return
        if begun:
            raise self._error(f"is damaged: at byte {begun} stands no header of a member",
                              "fetch or write the tar again")
        packed = next((name for magic, name in _COMPRESSED.items() if header.startswith(magic)), "")
        if packed:
            raise self._error(f"is compressed ({packed}), and pictures are read from where they lie",
                              "unpack it to a plain .tar: pictures are compressed themselves")
        raise self._error("is not a tar", "name tar files alone")

    def _size(self, given: bytes, begun: int) -> int:
        """A size as headers have it: octal digits, or for large ones a number behind 0x80."""
        if given[:1] == b"\x80":
            return int.from_bytes(given[1:], "big")
        digits = given.strip(b" \0")
        if not re.fullmatch(rb"[0-7]*", digits):
            raise self._error(f"is damaged: the header at byte {begun} has no size", "write the tar again")
        return int(digits or b"0", 8)

    def _header(self, file: BinaryIO, size: int, begun: int) -> bytes:
        """The content of a header that continues another."""
        if size > _LONGEST_NAME:
            raise self._error(f"has a header of {size:,} bytes at byte {begun}, and no name is that long",
                              "write the tar again")
        said = self._take(file, size, f"within the header at byte {begun}")
        self._take(file, -size % _BLOCK, f"behind the header at byte {begun}")
        return said

    def _records(self, said: bytes, begun: int) -> dict[bytes, bytes]:
        """What a pax header says: lines of length, key and value."""
        found: dict[bytes, bytes] = {}
        at = 0
        while at < len(said):
            match = re.compile(rb"(\d{1,6}) ([^=\n]+)=").match(said, at)
            end = at + int(match[1]) if match else 0
            if match is None or end <= match.end() or end > len(said) or said[end - 1 : end] != b"\n":
                raise self._error(f"is damaged: the pax header at byte {begun} cannot be read", "write the tar again")
            if match[2].startswith(b"GNU.sparse"):
                raise self._error(f"holds a sparse file (header at byte {begun})", "write the tar without --sparse")
            found[match[2]] = said[match.end() : end - 1]
            at = end
        return found

    def _error(self, what: str, remedy: str) -> DataError:
        return DataError(f"{self.path.name} {what}", str(self.path), remedy)


def _name(header: bytes) -> bytes:
    """The name in a header, with the prefix that ustar keeps apart."""
    name, prefix = header[:100].split(b"\0")[0], header[345:500].split(b"\0")[0]
    return prefix + b"/" + name if header[257:263] == b"ustar\0" and prefix else name


def _checked(raw: bytes) -> tuple[str, str]:
    """A member's name as text, and what is wrong with it."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace"), "has a name that is not UTF-8"
    while name.startswith("./"):
        name = name[2:].lstrip("/") if name[2:3] == "/" else name[2:]
    parts = name.split("/")
    if PurePosixPath(name).is_absolute() or ".." in parts or "\\" in name or re.match("[A-Za-z]:", name):
        return name, "has a name that leads out of the folder"
    if "" in parts or "." in parts or not name.isprintable():
        return name, "has a name that is no plain path"
    return name, ""
