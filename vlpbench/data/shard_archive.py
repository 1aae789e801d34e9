"""Pictures read from where they lie in tars: a look-up, one read at an offset, and nothing is unpacked."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vlpbench.contract.dataset import Archive
from vlpbench.data.errors import DataError
from vlpbench.data.tar_index import TarIndex, TarSample

__all__ = ["ShardArchive"]

_OPEN = 64
"""Tars that are kept open, at most."""


class _Opened:
    """A file that is closed with the last one who reads it."""

    def __init__(self, path: Path) -> None:
        self.handle = -1
        self.handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._turn = threading.Lock()

    def read(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset` on."""
        if hasattr(os, "pread"):
            return os.pread(self.handle, size, offset)
        with self._turn:
            os.lseek(self.handle, offset, os.SEEK_SET)
            return os.read(self.handle, size)

    def __del__(self) -> None:
        if self.handle >= 0:
            os.close(self.handle)


class ShardArchive(Archive):
    """The pictures of some tars; a picture is called TAR/MEMBER, both as they are named."""

    def __init__(self, folder: Path, names: Sequence[str], index: Callable[[str], TarIndex], together: int) -> None:
        """`names` of the tars relative to `folder`; `index(name)` of each is asked for when it is needed."""
        self.folder, self._index, self._together = folder, index, together
        self._numbers = {name: number for number, name in enumerate(names)}
        self._known: dict[str, Mapping[str, TarSample]] = {}
        self._files: OrderedDict[str, _Opened] = OrderedDict()
        self._turn = threading.Lock()

    @property
    def together(self) -> int:
        """How many tars a training reads at a time."""
        return self._together

    def part(self, name: str) -> int:
        """The number of the tar that a picture lies in."""
        return self._numbers[self._tar(name)]

    def digests(self, names: Sequence[str]) -> Mapping[str, str]:
        """The SHA-256 of each picture, as found when its tar was read."""
        return {name: self._found(name)[1].digest for name in names}

    def read(self, name: str) -> bytes:
        """A picture file's bytes; DataError where the tar is no longer the one that was looked through."""
        tar, sample = self._found(name)
        try:
            file, parts, left = self._opened(tar), list[bytes](), sample.size
            while left and (part := file.read(left, sample.offset + sample.size - left)):
                parts.append(part)
                left -= len(part)
        except OSError as error:
            raise DataError(f"{tar} cannot be read: {error.strerror}", f"{self.folder / tar}, byte {sample.offset}",
                            "check the file and the disk") from None
        content = b"".join(parts)
        if hashlib.sha256(content).hexdigest() != sample.digest:
            raise DataError(f"{tar} has changed since it was looked through: {sample.name!r} is no longer there",
                            f"{self.folder / tar}, byte {sample.offset}", "start again, and leave the tar alone")
        return content

    def _found(self, name: str) -> tuple[str, TarSample]:
        """The tar of a picture, and where it is in there."""
        tar = self._tar(name)
        known = self._known.get(tar)
        if known is None:
            known = self._known[tar] = {sample.name: sample for sample in self._index(tar).samples}
        member = name[len(tar) + 1 :]
        if member not in known:
            raise DataError(f"{tar} has no picture {member!r}", str(self.folder / tar), "read the set anew")
        return tar, known[member]

    def _tar(self, name: str) -> str:
        """The tar's part of a picture's name: no tar lies in another, so there is only one."""
        at = name.find("/")
        while at >= 0:
            if name[:at] in self._numbers:
                return name[:at]
            at = name.find("/", at + 1)
        raise DataError(f"{name!r} lies in none of the tars of this set", str(self.folder), "read the set anew")

    def _opened(self, tar: str) -> _Opened:
        with self._turn:
            file = self._files.pop(tar, None) or _Opened(self.folder / tar)
            self._files[tar] = file  # the latest last
            while len(self._files) > _OPEN:
                self._files.popitem(last=False)
            return file
