"""Why a cell failed, from whatever was raised: a sentence for people, and details for whoever looks closer."""

from __future__ import annotations

import errno
import os
import traceback
from pathlib import Path
from typing import Any

from vlpbench.errors import UserError
from vlpbench.runner.provenance import unnamed
from vlpbench.training.fitting import OutOfMemory, is_out_of_memory
from vlpbench.training.loop import NonFiniteLoss

__all__ = ["MOST_SAID", "MOST_TRACED", "PASSING", "cause_of", "plain"]

MOST_SAID, MOST_TRACED = 1000, 20_000
"""Letters of a cause and of a traceback that a record keeps; of a longer one the middle is left out."""

PASSING = "passing"
"""Detail of a failure that says nothing of the cell: the next run tries it again without being asked."""


def cause_of(error: BaseException) -> tuple[str, dict[str, Any]]:
    """A sentence, and what is known beside it: the error's class, its traceback, and what it says of itself.

    Both are as a terminal, a table and a UTF-8 file can take them, whatever a stranger's error holds.
    """
    try:
        said, details = _told_by(error)
    except Exception as worse:  # noqa: BLE001 (the words of a stranger's error are a stranger's code)
        said, details = f"{_name(error)}, whose words cannot be had ({_name(worse)})", {}
    details |= {"error": _name(error), "traceback": plain(unnamed(_traceback(error)), MOST_TRACED)}
    return plain(" ".join(said.split()), MOST_SAID), details


def _told_by(error: BaseException) -> tuple[str, dict[str, Any]]:
    if isinstance(error, NonFiniteLoss):
        return str(error), {"step": error.step, "figures": error.figures}
    if isinstance(error, OutOfMemory):
        return error.cause, {"remedy": error.remedy, "fits": error.fits}
    if is_out_of_memory(error):
        return f"out of memory: {error}", {}
    if isinstance(error, UserError):
        return error.cause, {"place": error.place, "remedy": error.remedy}
    if isinstance(error, OSError) and _is_full(error):
        return f"no space is left on the disk of {_file(error)}", {PASSING: True}
    said = f"{_name(error)}: {error}".removesuffix(": ")
    return said if isinstance(error, Exception) else f"code of this cell asked to end its process ({said})", {}


def _is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC).lower() in str(error).lower()


def _file(error: OSError) -> str:
    """The last two parts of the name of the file that could not be written."""
    return "/".join(Path(os.fsdecode(error.filename)).parts[-2:]) if error.filename else "the results"


def _name(error: BaseException) -> str:
    return type(error).__name__


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception as worse:  # noqa: BLE001 (as above)
        return f"no traceback: {_name(worse)}"


def plain(text: str, most: int) -> str:
    """Without what steers a terminal or is half a letter, and with its middle left out where it is too long."""
    short = text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"
    return "".join(one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in short)
