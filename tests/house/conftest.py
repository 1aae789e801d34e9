"""The house as text: every Python file of the repository with its syntax tree."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WINGS = ("vlpbench", "plugins", "benchmarks", "results/reference", "tests")
BUILT = {"build", "dist", "__pycache__"}


@dataclass(frozen=True)
class Source:
    """One Python file."""

    name: str
    """Its path relative to the repository, with forward slashes."""
    text: str
    """Its text."""
    tree: ast.Module
    """Its syntax tree."""

    @property
    def is_test(self) -> bool:
        """Whether it belongs to a tests folder."""
        return "tests" in self.name.split("/")


def _read(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT).as_posix()
    return Source(name, text, ast.parse(text, name))


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository (or of an unpacked source distribution)."""
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[Source]:
    """Every Python file of the repository."""
    found = [path for wing in WINGS for path in sorted((ROOT / wing).rglob("*.py")) if not BUILT & set(path.parts)]
    return [_read(path) for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]


@pytest.fixture(scope="session")
def sources(files: list[Source]) -> list[Source]:
    """Every Python file that is not a test."""
    return [file for file in files if not file.is_test]


@pytest.fixture(scope="session")
def core(sources: list[Source]) -> list[Source]:
    """Every Python file of the package itself."""
    return [file for file in sources if file.name.startswith("vlpbench/")]
