"""What a user is told when something is wrong: the cause, the place, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["UserError", "nearest", "unknown"]


class UserError(Exception):
    """A mistake or a fault that the user can do something about; printed without a traceback.

    `cause` is a sentence, `place` a file with key or line, `remedy` what to do; the last two may be empty.
    """

    exit_code = 2
    """What the command line exits with: 1 a cell failed, 2 usage or settings, 3 a plugin, 4 nothing selected."""

    def __init__(self, cause: str, place: str = "", remedy: str = "") -> None:
        super().__init__(cause)
        self.cause, self.place, self.remedy = cause, place, remedy

    def __str__(self) -> str:
        lines = [self.cause]
        if self.place:
            lines.append(f"  where: {self.place}")
        if self.remedy:
            lines.append(f"  to do: {self.remedy}")
        return "\n".join(lines)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None if none is near."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.55)
    return found[0] if found else None


def unknown(what: str, name: str, known: Iterable[str], place: str = "") -> UserError:
    """The error for a name that is not known: the nearest right answer first, then all of them."""
    names = sorted(known)
    near = nearest(name, names)
    guess = f"did you mean {near!r}? " if near else ""
    listed = ", ".join(map(repr, names) if any("," in one for one in names) else names) or "none"
    return UserError(f"unknown {what} {name!r}", place, f"{guess}known: {listed}")
