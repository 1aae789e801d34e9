"""Whole-or-nothing writing, and file names that stay inside their folder. All that write go through here."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "UnsafeName", "as_json", "digest", "digest_file", "forget_halves", "inside", "readable", "write_json", "write_text",
    "written_whole",
]

_HALF = re.compile(r"\..+\.[a-z0-9_]{8}(\.[^.]+)?")
"""What `written_whole` calls a file that is being written: hidden, with eight characters that `tempfile` draws."""


class UnsafeName(ValueError):
    """A file name that would leave the folder it belongs to."""


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is flushed and takes its name, on error it is removed.

    A reader sees the old file or the new one, never a half. The folder is made if it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        _flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def forget_halves(folder: Path, older: float = 0.0) -> None:
    """Remove what killed processes left half written in `folder` and below, if untouched for `older` seconds.

    The caller knows that nobody else writes there. A folder that is not there has none.
    """
    for path in sorted(folder.rglob(".*")):
        if _HALF.fullmatch(path.name) and path.is_file():
            age = time.time() - path.stat().st_mtime  # below zero where the clock was set back
            if older <= 0 or age >= older:
                path.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Make the new name itself durable, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON with sorted keys, whole or not at all; NaN and infinity are refused (ValueError)."""
    write_text(path, as_json(value))


def as_json(value: Any) -> str:
    """The text that `write_json` writes."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def digest(value: Any) -> str:
    """The SHA-256 (hex) of `value` written as canonical JSON: equal settings, equal digest."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_file(path: Path, heard: Callable[[int], None] | None = None) -> str:
    """The SHA-256 (hex) of a file's bytes; `heard` is told the number of bytes of each block read."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
            if heard is not None:
                heard(len(block))
    return state.hexdigest()


def inside(folder: Path, name: str) -> Path:
    """`folder / name`, refused (UnsafeName) if the name is absolute, climbs out, or leads out through a link."""
    if not name or "\0" in name:
        raise UnsafeName(f"{name!r} is not a file name")
    path = folder / name
    if Path(name).is_absolute() or folder.resolve() not in path.resolve().parents:
        raise UnsafeName(f"{name!r} leads out of the folder {folder.name!r}")
    return path


def readable(text: str, longest: int = 60) -> str:
    """`text` as part of a file name: letters, digits, dots, dashes; everything else becomes one dash."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")[:longest].strip("-.") or "x"
