"""Named systems as settings: a grid file says `recipe = "simvlm-base"`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vlpbench.hookspecs import hookimpl

__all__ = ["vlpbench_recipes"]


@hookimpl
def vlpbench_recipes() -> Mapping[str, Path]:
    """Every TOML file beside this one, by its name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}
