"""Hashes of files that are not computed twice while the file stays as it is: stages and records are asked for often."""

from __future__ import annotations

import os
import time
from pathlib import Path

from vlpbench.files import digest_file

__all__ = ["hash_of"]

_YOUNG = 2_000_000_000
"""Nanoseconds: a file changed so lately may change again within one tick of its clock, so its hash is not kept."""

_State = tuple[int, int, int, int]

_KNOWN: dict[str, tuple[_State, str]] = {}


def hash_of(path: Path) -> str | None:
    """The SHA-256 (hex) of a file; None where there is none that can be read."""
    try:
        state = _state(path)
        known = _KNOWN.get(str(path))
        if known is not None and known[0] == state:
            return known[1]
        found = digest_file(path)
        if _state(path) == state and abs(time.time_ns() - state[1]) > _YOUNG:
            _KNOWN[str(path)] = (state, found)
    except OSError:
        return None
    return found


def _state(path: Path) -> _State:
    """What changes with the file: which it is, when it was written, when it was renamed or touched, its bytes."""
    found: os.stat_result = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
