"""What the options before the command say, handed to every command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlpbench.errors import nearest
from vlpbench.registry.find import Source, installed
from vlpbench.registry.switches import ALLOWED, allowed, is_named

__all__ = ["Session", "remarks"]


@dataclass(frozen=True)
class Session:
    """One call of the command line."""

    files: tuple[Path, ...] = ()
    """`-p`: plugins of a single file."""
    blocked: tuple[str, ...] = ()
    """`--no-plugin`: entry points or distributions to leave alone."""
    verbose: bool = False
    """`-v`: show tracebacks."""


def remarks(blocked: Sequence[str]) -> Iterator[str]:
    """A sentence for each name that `--no-plugin` or VLPBENCH_PLUGINS says and no installed plugin has."""
    said = [("--no-plugin", name) for name in blocked] + [(ALLOWED, name) for name in allowed() or ()]
    if said:
        there = list(installed())
        yield from (_remark(by, name, there) for by, name in said if not _is_there(name, there))


def _is_there(name: str, there: Sequence[Source]) -> bool:
    return any(is_named([name], one.name, one.distribution) for one in there)


def _remark(by: str, name: str, there: Sequence[Source]) -> str:
    if name.partition(".")[0] == "vlpbench":
        return f"{by} {name}: what is built in cannot be left out, and need not be named"
    names = sorted({one.name for one in there} | {one.distribution for one in there})
    near = nearest(name, names)
    guess = f"did you mean {near!r}?" if near else (f"there are: {', '.join(names)}" if names else "none is")
    return f"{by} {name}: no plugin of this name is installed; {guess}"
