"""The files of claims: `<name>-<generation>.json` in one folder, the highest generation of a name holds it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vlpbench.files import digest, readable

__all__ = ["content_at", "file_of", "generations", "stem_of", "stems", "temporaries"]

_FORM = re.compile(r"(?P<stem>[^.].*)-(?P<generation>\d{6,})\.json")
_TEMPORARY = re.compile(r"\.(?P<file>.+-\d{6,}\.json)\.(?P<token>[0-9a-f]+)")
_LONGEST = 150
"""Characters of a name: with generation, hash and a temporary's token it stays below the 255 of most file systems."""
_LOOKED_FOR = 16
"""Generations that are asked for beside the listing. More are rare: a holder removes those below its own."""


def stem_of(name: str) -> str:
    """The part of a file name that stands for `name`: itself, or where that cannot be, readable and with a hash."""
    short = readable(name, _LONGEST)
    return short if short == name else f"{short}-{digest(name)[:12]}"


def file_of(stem: str, generation: int) -> str:
    """The file of one generation."""
    return f"{stem}-{generation:06d}.json"


def generations(folder: Path, stem: str) -> dict[int, bytes]:
    """Generation -> content of all files of one name.

    A listing may miss a file that is replaced meanwhile (POSIX leaves that open), so the likely ones are asked for too.
    """
    listed = {generation for one, generation in _listed(folder) if one == stem}
    asked = range(1, min(max(listed, default=0), _LOOKED_FOR) + 2)
    found = {one: content_at(folder / file_of(stem, one)) for one in sorted({*listed, *asked})}
    return {one: content for one, content in found.items() if content is not None}


def stems(folder: Path) -> list[str]:
    """All names that there are files of, as in those."""
    return sorted({stem for stem, _ in _listed(folder)})


def temporaries(folder: Path) -> Iterator[tuple[Path, Path, str]]:
    """Half-written files, each with the file that it was to become and the token of who wrote it."""
    for name in _names(folder):
        if found := _TEMPORARY.fullmatch(name):
            yield folder / name, folder / found["file"], found["token"]


def content_at(path: Path) -> bytes | None:
    """The bytes of a file; empty where it cannot be read, None where it is not there."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        return b""


def _listed(folder: Path) -> Iterator[tuple[str, int]]:
    for name in _names(folder):
        if found := _FORM.fullmatch(name):
            yield found["stem"], int(found["generation"])


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
