"""A traceback as a plugin's author wants it: the lines of his own files, without ours, pluggy's and Python's."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["own_frames", "place_of", "whole"]


def whole(wrong: BaseException) -> str:
    """The traceback as Python prints it."""
    return "".join(traceback.format_exception(wrong))


def own_frames(wrong: BaseException, home: Path | None) -> str:
    """The traceback with only those frames that lie in `home`, a file or a package's folder; "" where there are none.

    What the exception was caused by is cut alike.
    """
    told = traceback.TracebackException.from_exception(wrong)
    for one in _chain(told):
        one.stack = traceback.StackSummary.from_list([frame for frame in one.stack if _lies_in(frame.filename, home)])
    if not any(one.stack or one.exc_type is SyntaxError for one in _chain(told)):
        return ""
    return "".join(told.format())


def _chain(told: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """An exception and all that it came from."""
    waiting = [told]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]


def _lies_in(filename: str, home: Path | None) -> bool:
    if home is None:
        return False
    path = Path(filename)
    return path == home or home in path.parents if home.suffix != ".py" else path == home


def place_of(thing: Any) -> str:
    """File and line where a class begins, or a file; "" for what has neither."""
    if isinstance(thing, str | Path):
        return str(thing)
    try:
        return f"{inspect.getsourcefile(thing)}, line {inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):  # made at run time, or no class
        return ""
