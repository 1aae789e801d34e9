"""A file that gives a test split must not give a train or val split as well, whatever its name there.

The seal and the purposes of a split go by the split's name, so a grid file could get round them by naming the test
file as the file of another split. Here the files themselves are compared: the same place after links and "..", or
equal bytes. A copy that was saved anew has other bytes; the overlap of pictures (`vlpbench.data.overlap`) shows that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlpbench.contract.dataset import Dataset
from vlpbench.data.errors import TestSplitRefused
from vlpbench.data.fingerprint import file_digests

__all__ = ["refuse_shared_files"]


@dataclass(frozen=True)
class _Named:
    """A file, and what it was named for."""

    name: str
    """Name of the data set in the grid."""
    split: str
    path: Path
    """Links and ".." followed."""
    cache: Path


def refuse_shared_files(trained: Mapping[str, Dataset], tested: Mapping[str, Dataset]) -> None:
    """Refuse a test file of the sets in `tested` that is a train or val file of one in `trained`; sets by their name.

    A set that is both learnt from and tested on stands in both. Sets whose file itself says which sample belongs to
    which split (`karpathy`) name no files and are not looked at. Reads a file only where another has the same size.
    Raises TestSplitRefused naming both places, and DataError for a setting that names no usable file; a file that does
    not exist is left to whoever reads it.
    """
    learnt = list(_named(trained, ("train", "val")))
    tests = list(_named(tested, ("test",)))
    for one, other in _of_one_size(learnt, tests):
        if one.path == other.path or _digest(one) == _digest(other):
            raise _refused(one, other)


def _named(sets: Mapping[str, Dataset], splits: Sequence[str]) -> Iterator[_Named]:
    for name, dataset in sets.items():
        for split in splits:
            for path in dataset.files_of(split):
                yield _Named(name, split, path.resolve(), dataset.cache)


def _of_one_size(learnt: Sequence[_Named], tests: Sequence[_Named]) -> Iterator[tuple[_Named, _Named]]:
    """Pairs that can be equal: the same place, or two files of one size that is not nought."""
    places: dict[Path, list[_Named]] = defaultdict(list)
    sizes: dict[int, list[_Named]] = defaultdict(list)
    for one in learnt:
        places[one.path].append(one)
        if one.path.is_file():
            sizes[one.path.stat().st_size].append(one)
    sizes.pop(0, None)
    for test in tests:
        yield from ((one, test) for one in places.get(test.path, ()))
        if test.path.is_file():
            yield from ((one, test) for one in sizes.get(test.path.stat().st_size, ()))


def _digest(named: _Named) -> str:
    path = named.path
    return file_digests(path.parent, [path.name], named.cache)[path.name]


def _refused(learnt: _Named, test: _Named) -> TestSplitRefused:
    same = f"is named for the {learnt.split} split of {learnt.name!r} as well"
    if learnt.path != test.path:
        same = f"has the same bytes as {learnt.path.name}, named for the {learnt.split} split of {learnt.name!r}"
    return TestSplitRefused(
        f"{test.path.name}, the test file of {test.name!r}, {same}",
        f"[data.{learnt.name}]: {learnt.path}",
        "name other files for what is learnt from; test is for scores alone",
    )
