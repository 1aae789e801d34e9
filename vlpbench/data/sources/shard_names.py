"""The files that a pattern names: ranges {000..041}, lists {a,b}, and the wild cards of a shell."""

from __future__ import annotations

import itertools
import re
from pathlib import Path, PurePosixPath

from vlpbench.data.errors import DataError
from vlpbench.data.sources.json_file import missing

__all__ = ["expanded", "shard_names"]

_MOST = 1_000_000
"""Names that a pattern may stand for."""

_BRACES = re.compile(r"\{([^{}]*)\}")


def shard_names(folder: Path, pattern: str, place: str) -> list[str]:
    """Names relative to `folder`, each once: in the order of the pattern, those of wild cards by name.

    `place` is the setting that has the pattern. DataError where it names no file, or one outside of the folder.
    """
    found: list[str] = []
    for name in expanded(pattern, place):
        path = PurePosixPath(name)
        if path.is_absolute() or Path(name).is_absolute() or ".." in path.parts or not path.name:
            raise DataError(f"{name!r} is not a name below the folder of the data", place, f"name files in {folder}")
        if not re.search(r"[*?\[]", name):
            found.append(path.as_posix())
            continue
        there = sorted(one.relative_to(folder).as_posix() for one in folder.glob(name) if one.is_file())
        if not there:
            raise missing(folder) if not folder.is_dir() else DataError(
                f"no file is called as in {name!r}", f"{place}: {folder}", "correct the pattern, or put the files there"
            )
        found += there
    return list(dict.fromkeys(found))


def expanded(pattern: str, place: str) -> list[str]:
    """The names that braces stand for, the last ones changing fastest; DataError for braces that say nothing."""
    pieces = _BRACES.split(pattern)  # texts and contents of braces by turns
    ways = [[piece] if at % 2 == 0 else _ways(piece, place) for at, piece in enumerate(pieces)]
    many = 1
    for way in ways:
        many *= len(way)
    if many > _MOST:
        raise DataError(f"{pattern!r} stands for more than {_MOST:,} files", place, "correct its ranges")
    if any("{" in way or "}" in way for way in pieces[::2]):
        raise DataError(f"{pattern!r} has a brace too many", place, 'write a range as "name-{000..041}.tar"')
    return ["".join(one) for one in itertools.product(*ways)]


def _ways(inside: str, place: str) -> list[str]:
    """What one pair of braces stands for."""
    ends = re.fullmatch(r"(\d{1,18})\.\.(\d{1,18})", inside)
    if ends is None:
        if "," not in inside:
            raise DataError(f"{{{inside}}} is no range and no list", place, "write {000..041}, or {a,b}")
        return inside.split(",")
    first, last = int(ends[1]), int(ends[2])
    if not 0 <= last - first < _MOST:
        raise DataError(f"{{{inside}}} is no range of at most {_MOST:,}", place, "give the lower number first")
    padded = any(len(end) > 1 and end.startswith("0") for end in ends.groups())
    wide = max(map(len, ends.groups())) if padded else 0
    return [str(number).zfill(wide) for number in range(first, last + 1)]
