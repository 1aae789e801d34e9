"""What the options before the command say, handed to every command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Session"]


@dataclass(frozen=True)
class Session:
    """One call of the command line."""

    files: tuple[Path, ...] = ()
    """`-p`: plugins of a single file."""
    blocked: tuple[str, ...] = ()
    """`--no-plugin`: entry points or distributions to leave alone."""
    verbose: bool = False
    """`-v`: show tracebacks."""
