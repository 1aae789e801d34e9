"""Pictures that are decoded when they are asked for, with the function of the image store: for sets too large for one.

Axes: N pictures, M rows that are asked for, S pixels a side.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vlpbench.data.decoding import BadImage, decode, quiet_from_now_on
from vlpbench.data.errors import DataError
from vlpbench.data.picture_files import Held, picture_file

__all__ = ["Pixels", "Undecoded", "cores"]

Rows = NDArray[np.uint8]


class Pixels(Protocol):
    """Pictures by row: an array in memory or on disk, or one that decodes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """N, S, S, 3."""

    @property
    def dtype(self) -> Any:
        """uint8."""

    def __len__(self) -> int:
        """N."""

    def __getitem__(self, rows: Any, /) -> Any:
        """S, S, 3 for a number; M, S, S, 3 for a slice, numbers or truth values."""


class Undecoded:
    """N, S, S, 3 uint8 to whoever indexes the first axis; nothing is kept. Several threads may ask at once."""

    ndim = 4
    dtype = np.dtype(np.uint8)

    def __init__(self, held: Held, names: Sequence[str], size: int) -> None:
        """`names` of N picture files in `held`; `size` is S."""
        self.held, self.names, self.size = held, names, size
        quiet_from_now_on()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """N, S, S, 3."""
        return len(self.names), self.size, self.size, 3

    @property
    def nbytes(self) -> int:
        """What all pictures would take if they were decoded."""
        return int(np.prod(self.shape, dtype=object))

    def __getitem__(self, rows: Any) -> Rows:
        """Pictures as an array of bytes would give them: of a row, a slice, a list or array of rows, or truth values.

        DataError, naming the file, for a picture that cannot be decoded.
        """
        wanted = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else _numbers(rows, len(self))
        distinct, where = np.unique(wanted, return_inverse=True)
        found = np.empty((len(distinct), *self.shape[1:]), np.uint8)
        _each(lambda place: self._decode(int(distinct[place]), found[place]), len(distinct))
        shown: Rows = found[where.reshape(wanted.shape)]
        return shown

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All of them: `np.asarray` of a set that does fit."""
        if copy is False:
            raise ValueError("pictures that are decoded are always new")
        return np.asarray(self[:], dtype)

    def _decode(self, row: int, into: Rows) -> None:
        name = self.names[row]
        try:
            into[:] = decode(picture_file(self.held, name), self.size)
        except BadImage as error:
            raise DataError(f"image {name}: {error}", f"picture {name!r}", 'correct it (`vlpbench data check` names '
                            'all that are broken), or set on_bad_sample = "skip"') from None


def _numbers(rows: Any, many: int) -> NDArray[np.int64]:
    """Row numbers as they are meant: truth values told apart, those below nought counted from the end."""
    given = np.asarray(rows)
    if given.dtype == np.bool_:
        if given.shape != (many,):
            raise IndexError(f"{many} pictures are chosen by as many truth values, not by {given.shape}")
        return np.flatnonzero(given)
    if given.size == 0:
        return np.zeros(given.shape, np.int64)
    if given.dtype.kind not in "iu":
        raise IndexError(f"pictures are asked for by the number of their row, not by {given.dtype}")
    numbers = given.astype(np.int64)
    if numbers.min() < -many or numbers.max() >= many:
        raise IndexError(f"there are {many} pictures, and none of row {numbers.max()} or {numbers.min()}")
    return np.where(numbers < 0, numbers + many, numbers)


def _each(do: Callable[[int], None], many: int) -> None:
    """Do it for each place, several at a time where there are cores (decoders leave the interpreter's lock)."""
    if cores() == 1 or many == 1:
        for place in range(many):
            do(place)
        return
    tasks = [_pool(os.getpid()).submit(do, place) for place in range(many)]
    wrong = [error for task in tasks if (error := task.exception()) is not None]
    if wrong:
        raise wrong[0]


@functools.lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """The threads of this process: those of the one that it was forked from do not live here."""
    return ThreadPoolExecutor(cores(), thread_name_prefix=f"pictures-{process}")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
