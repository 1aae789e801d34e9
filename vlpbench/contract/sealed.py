"""The seal on test splits: while something learns or chooses, no data set gives its test split to anyone.

Who may open which split is said where splits are opened (`vlpbench.data.splits`); the seal also covers whoever reads a
data set past that place: an objective that made one for itself, or a plugin's set that reads from another. It holds
for the whole process, so for threads that make batches as well. A process runs one cell, whose stages come one after
the other, so no evaluation that is entitled to its test split can be met by the seal of another cell.
What a plugin reads from the disk without a data set cannot be stopped here.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

from vlpbench.contract.data_errors import TestSplitRefused

__all__ = ["seal_reading", "sealed", "sealed_for"]

_lock = threading.Lock()
_going_on: list[tuple[object, str]] = []
"""What is going on, latest last; each under a mark of its own, since stages of equal names may be nested."""


@contextlib.contextmanager
def sealed(doing: str) -> Iterator[None]:
    """Refuse the test split of every data set until the end of the block; `doing` is what the error names.

    Blocks may be nested, and entered by several threads: the seal is off when the last has been left, however it was.
    """
    mark = (object(), doing)
    with _lock:
        _going_on.append(mark)
    try:
        yield
    finally:
        with _lock:
            _going_on.remove(mark)


def sealed_for() -> str:
    """What the test splits are sealed for at the moment (the block entered last); empty where they are not."""
    with _lock:
        return _going_on[-1][1] if _going_on else ""


def seal_reading(cls: type) -> None:
    """Have the method `read` of a class obey the seal, wherever it comes from; once, however often this is called."""
    held = inspect.getattr_static(cls, "read", None)
    if held is None or getattr(held, "__isabstractmethod__", False) or getattr(held, "obeys_seal", False):
        return
    cls.read = _obeying(held)  # type: ignore[attr-defined]


def _obeying(held: Any) -> Callable[..., Any]:
    """`held` (a function, or anything else that a class can have as its method) under the seal.

    Refused is at the call, and again at each sample: what was opened before a block is not read on within it.
    """

    def read(self: Any, *args: Any, **named: Any) -> Any:
        bound = held.__get__(self, type(self)) if hasattr(held, "__get__") else held
        if "test" not in args and "test" not in named.values():
            return bound(*args, **named)
        _refuse(self)
        return _watched(self, bound(*args, **named))

    known = getattr(held, "__func__", held)
    functools.update_wrapper(read, known)
    del read.__wrapped__  # type: ignore[attr-defined]  # would be a way round
    with contextlib.suppress(TypeError, ValueError):  # a callable that has no signature to show
        read.__signature__ = inspect.signature(known)  # type: ignore[attr-defined]
    read.obeys_seal = True  # type: ignore[attr-defined]
    return read


def _watched(dataset: Any, given: Any) -> Iterator[Any]:
    for sample in given:
        _refuse(dataset)
        yield sample


def _refuse(dataset: Any) -> None:
    doing = sealed_for()
    if doing:
        raise TestSplitRefused(f"{doing} may not read the test split", _place(dataset),
                               "train on train, select on val; test is for scores alone")


def _place(dataset: Any) -> str:
    return f"data set of kind {getattr(dataset, 'name', type(dataset).__name__)!r}, split 'test'"
