"""Grids from text, with the built-in plugins and folders of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlpbench.grid import Cell, cells, open_grid
from vlpbench.registry import Registry, load_registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load_registry()


@pytest.fixture
def opener(tmp_path: Path) -> Callable[..., Any]:
    return lambda cls, config: cls(config, tmp_path / "data", tmp_path / "cache")


@pytest.fixture
def made(tmp_path: Path, opener: Callable[..., Any]) -> Callable[..., list[Cell]]:
    """made(text, *overrides) -> the cells of a grid file with that text."""

    def make(text: str, *overrides: str) -> list[Cell]:
        path = tmp_path / "g.toml"
        path.write_text(text, encoding="utf-8")
        grid, registry = open_grid(str(path), overrides)
        return cells(grid, registry, opener)

    return make
