"""What files in the cache have in common: one process makes them while others wait, and damage is found."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["checksum", "turn"]

_BLOCK, _BLOCKS = 1 << 20, 256
"""Bytes of a block that the checksum reads, and most blocks."""


def checksum(path: Path) -> int:
    """CRC of the file's size and of evenly spread blocks, first and last among them: all of a file up to 256 MiB."""
    size = path.stat().st_size
    last = -(-size // _BLOCK) - 1
    places = range(last + 1) if last < _BLOCKS else [round(i * last / (_BLOCKS - 1)) for i in range(_BLOCKS)]
    value = zlib.crc32(str(size).encode())
    with path.open("rb") as file:
        for place in places:
            file.seek(place * _BLOCK)
            value = zlib.crc32(file.read(_BLOCK), value)
    return value


@contextlib.contextmanager
def turn(path: Path) -> Iterator[None]:
    """Wait until no other process makes this file. Where there are no locks both make it: the same bytes twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as file:
        locked = _locked(file.fileno())
        if locked:  # whoever left these behind was killed while writing
            for left in path.parent.glob(f".{path.name}.*"):
                left.unlink(missing_ok=True)
        yield


def _locked(handle: int) -> bool:
    """Take the lock, waiting for it; False where the system or the file system has none."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
    except (ImportError, OSError):
        return False
    return True
