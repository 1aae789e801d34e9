"""The table of contents: all that a plugin can bring to vlpbench, one function a hook.

A plugin implements any of these with `@hookimpl` (from `vlpbench.plugin`). Hooks only ever gain arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PROJECT", "hookimpl", "hookspec"]

PROJECT = "vlpbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def vlpbench_objectives() -> Sequence[type]:  # type: ignore[empty-body]
    """Objective classes: what a batch and a backbone should be taught."""


@hookspec
def vlpbench_stems() -> Sequence[type]:  # type: ignore[empty-body]
    """Stem classes: image to tokens."""


@hookspec
def vlpbench_trunks() -> Sequence[type]:  # type: ignore[empty-body]
    """Trunk classes: how the transformer is wired."""


@hookspec
def vlpbench_datasets() -> Sequence[type]:  # type: ignore[empty-body]
    """Dataset classes: readers of a file format, and built-in worlds."""


@hookspec
def vlpbench_grids() -> Mapping[str, Path]:  # type: ignore[empty-body]
    """Grid files by name, each a TOML file that ships with the plugin."""


@hookspec
def vlpbench_recipes() -> Mapping[str, Path]:  # type: ignore[empty-body]
    """Named systems as settings: TOML files by name, each with `description`, `paper` and a table `[settings]`."""


@hookspec
def vlpbench_launchers() -> Sequence[type]:  # type: ignore[empty-body]
    """Launcher classes: where cells run."""


@hookspec
def vlpbench_metrics() -> Sequence[type]:  # type: ignore[empty-body]
    """Metric classes: extra score columns beside the suite's, never in place of one."""


@hookspec
def vlpbench_tables() -> Sequence[type]:  # type: ignore[empty-body]
    """ReportTable classes: tables that `vlpbench report table --what NAME` prints."""


@hookspec
def vlpbench_cell_finished(record: Mapping[str, Any]) -> None:
    """Told after each cell what it left behind (a copy: changing it changes nothing)."""
