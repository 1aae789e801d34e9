"""What is wrong with a grid file, collected: a user sees every mistake at once, each with its place and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vlpbench.config.lines import line_of
from vlpbench.errors import UserError, nearest

__all__ = ["GridError", "Problem", "Report", "guess"]


@dataclass(frozen=True)
class Problem:
    """One mistake."""

    place: str
    """File, line and key."""
    what: str
    """What is wrong, in a clause."""
    remedy: str = ""
    """What to do, or the nearest right name."""
    line: float = float("inf")
    """Where it stands in the file, for the order of the list."""

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" + (f" ({self.remedy})" if self.remedy else "")


class GridError(UserError):
    """A grid file, or what was said over it on the command line, cannot be run as it stands."""

    def __init__(self, title: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            only = self.problems[0]
            super().__init__(only.what, only.place, only.remedy)
        else:
            listed = "".join(f"\n  {problem}" for problem in self.problems)
            super().__init__(f"{len(self.problems)} mistakes in {title}:{listed}")


def guess(name: str, known: Iterable[str]) -> str:
    """The remedy for an unknown name: the nearest one, or all of them."""
    names = sorted(known)
    near = nearest(name, names)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"known: {', '.join(names)}" if names else "none is known"


@dataclass
class Report:
    """Collects the mistakes of one grid file."""

    file: str
    """How the file is called in messages."""
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)
    """Where its keys stand."""
    problems: list[Problem] = field(default_factory=list)
    """What was found so far, in the order of finding."""

    def add(self, path: Sequence[str | int], what: str, remedy: str = "") -> None:
        """Remember one mistake at a key; the same one twice counts once."""
        line = None if path and path[0] == "-S" else line_of(self.lines, path)
        problem = Problem(self._place(path, line), what, remedy, line or float("inf"))
        if problem not in self.problems:
            self.problems.append(problem)

    def _place(self, path: Sequence[str | int], line: int | None) -> str:
        if path and path[0] == "-S":
            return f"-S {'.'.join(map(str, path[1:]))}"
        file = f"{self.file}:{line}" if line else self.file
        return f"{file}, {_shown(path)}" if path else file

    def raise_any(self) -> None:
        """Raise one GridError with all that was found, or return."""
        if self.problems:
            raise GridError(Path(self.file).name, sorted(self.problems, key=lambda one: one.line))


def _shown(path: Sequence[str | int]) -> str:
    """The key as a person would say it: `rows[2] optim.lr`, counted from 1."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part + 1}] "
        else:
            shown += part if not shown or shown.endswith(" ") else f".{part}"
    return shown.strip()
