"""A log that never stops growing keeps its first and its last words: a plugin that prints megabytes fills no disk."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["HEAD", "LEFT_OUT", "TAIL", "shorten"]

HEAD, TAIL = 2 * 2**20, 2 * 2**20
"""Bytes kept at the beginning and at the end."""

LEFT_OUT = b"\n[the middle of this log was left out: it was too long]\n"
"""What stands in place of the middle."""

_LINE = 4096
"""Bytes within which a line's end is looked for, so that the cut falls between lines."""


def shorten(log: Path, head: int = HEAD, tail: int = TAIL) -> bool:
    """Cut the middle out of a log that has grown to `head` and twice `tail`; whether that was needed.

    It may be written to meanwhile, in append mode; what is said in the instant of the cut may go with the middle.
    """
    try:
        if log.stat().st_size <= head + 2 * tail:
            return False
        file = os.open(log, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        size = os.fstat(file).st_size
        begin = max(0, head - _LINE)
        end = os.pread(file, head - begin, begin).rfind(b"\n") + 1
        last = os.pread(file, tail, size - tail)
        os.ftruncate(file, begin + end if end else head)
        _write(file, LEFT_OUT + last[last.find(b"\n", 0, _LINE) + 1 :])
    finally:
        os.close(file)
    return True


def _write(file: int, words: bytes) -> None:
    """All of it: a single write may take a part only."""
    while words:
        words = words[os.write(file, words) :]
