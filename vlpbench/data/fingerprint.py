"""What decides a set's samples, as one hash; file contents are hashed once and remembered by a stamp."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vlpbench.data.errors import DataError
from vlpbench.data.sources.json_file import missing
from vlpbench.files import digest, digest_file, write_text

__all__ = ["file_digests", "fingerprint", "settled", "stamp"]

_SETTLED = 2.0
"""Seconds after which a file is taken as written: a younger one may change again within its time stamp's grain."""


def fingerprint(
    facts: Mapping[str, Any], files: Mapping[str, Path], images: Path, names: Iterable[str], cache: Path
) -> str:
    """The SHA-256 of `facts`, of the bytes of `files`, and of name and content of each image that samples name.

    Where the files lie does not matter; what they are for (the keys of `files`) does.
    """
    held = {}
    for role, path in sorted(files.items()):
        try:
            held[role] = digest_file(path)
        except FileNotFoundError:
            raise missing(path) from None
    pictures = file_digests(images, sorted(set(names)), cache)
    return digest({**facts, "files": held, "images": pictures})


def file_digests(
    folder: Path, names: Iterable[str], cache: Path, heard: Callable[[int, int], None] | None = None
) -> dict[str, str]:
    """The SHA-256 of each named file of a folder, in the order of `names`.

    A file whose size and time of change are those of last time is not read again. `heard(done, of)` is told of the
    files that are. DataError if one cannot be read.
    """
    wanted = list(dict.fromkeys(names))
    store = cache / "stamps" / f"{digest(str(folder.resolve()))[:24]}.json"
    known = _stamps(store)
    stamps = {name: stamp(folder / name) for name in wanted}
    stale = [name for name in wanted if name not in known or known[name][:2] != stamps[name]]
    if stale:
        fresh = _hashed(folder, stale, heard)
        known |= {name: [*stamps[name], held] for name, held in zip(stale, fresh, strict=True)}
        kept = {name: row for name, row in known.items() if settled(row)}
        if any(name in kept for name in stale):
            write_text(store, json.dumps({"version": 2, "files": kept, "digest": digest(kept)}))
    return {name: known[name][2] for name in wanted}


def _hashed(folder: Path, names: list[str], heard: Callable[[int, int], None] | None) -> list[str]:
    """The digests of files, several read at a time (hashing leaves the interpreter's lock)."""
    found = []
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        for held in pool.map(lambda name: digest_file(folder / name), names, chunksize=1):
            found.append(held)
            if heard is not None:
                heard(len(found), len(names))
    return found


def settled(seen: Sequence[int]) -> bool:
    """Whether a file with this stamp will get another one when it changes again."""
    return time.time_ns() - seen[1] > _SETTLED * 1e9


def stamp(path: Path) -> list[int]:
    """Size and time of change of a file; DataError if there is none."""
    try:
        facts = path.stat()
    except OSError as error:
        raise DataError(f"{path.name!r} cannot be read: {error.strerror}", str(path), "put the file there") from None
    return [facts.st_size, facts.st_mtime_ns]


def _stamps(store: Path) -> dict[str, list[Any]]:
    """What is remembered; nothing if there is no such file or it is damaged (a cache may be)."""
    try:
        held = json.loads(store.read_text(encoding="utf-8"))
        rows = held["files"] if held["version"] == 2 and held["digest"] == digest(held["files"]) else {}
        return {name: row for name, row in rows.items() if len(row) == 3 and isinstance(row[2], str)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
