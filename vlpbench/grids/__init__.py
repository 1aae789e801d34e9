"""The grid files that come with vlpbench."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vlpbench.hookspecs import hookimpl

__all__ = ["vlpbench_grids"]


@hookimpl
def vlpbench_grids() -> Mapping[str, Path]:
    """Every TOML file beside this one, by its name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}
