"""From what a person types (a file or a name) to a grid file that is read, checked and has its plugins loaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from vlpbench.config.gridfile import GridFile, plugins_of
from vlpbench.config.problems import GridError
from vlpbench.config.reader import read_grid
from vlpbench.data.folders import use_data_root
from vlpbench.errors import UserError, nearest
from vlpbench.registry import PluginError, Registry, load_registry

__all__ = ["find_grid", "open_grid"]


def open_grid(
    said: str, overrides: Sequence[str] = (), files: Sequence[Path] = (), blocked: Collection[str] = ()
) -> tuple[GridFile, Registry]:
    """The grid called `said` (a TOML file, or the name of one that a plugin brings) and all plugins it needs.

    Raises UserError if there is none, GridError with its mistakes, PluginError if a plugin it names cannot be used.
    """
    registry = None if _is_file(said) else load_registry(files, blocked)
    path = find_grid(said, registry)
    named = plugins_of(path)
    beside = [path.parent / one for one in named if one.endswith(".py")]
    if registry is None or beside:
        registry = load_registry([*files, *beside], blocked)
    _refuse_broken(registry, [one for one in named if not one.endswith(".py")], path)
    known = registry.known()
    try:
        grid = read_grid(path, overrides, known)
    except GridError as wrong:
        if {problem.what for problem in wrong.problems} & {cause for cause, _ in known.broken.values()}:
            wrong.exit_code = PluginError.exit_code
        raise
    if grid.data_root:
        use_data_root(Path(grid.data_root))
    return grid, registry


def _is_file(said: str) -> bool:
    return said.endswith(".toml") or Path(said).is_file()


def find_grid(said: str, registry: Registry | None) -> Path:
    """The file of a grid, from its path or its name."""
    if not _is_file(said):
        if registry is None:
            raise UserError(f"{said!r} is no grid file", remedy="name a file that ends in .toml")
        return registry.grid(said)
    path = Path(said)
    if path.is_file():
        return path
    folder = path.parent if path.parent.is_dir() else Path()
    near = nearest(path.name, [one.name for one in folder.glob("*.toml")])
    remedy = f"did you mean {folder / near}?" if near else "grids that come along: vlpbench grid list"
    raise UserError(f"there is no grid file {said}", remedy=remedy)


def _refuse_broken(registry: Registry, named: Sequence[str], path: Path) -> None:
    """A plugin that the user asked for by name must work; any other may be broken as long as nobody needs it."""
    for failure in registry.failures:
        if failure.asked:
            raise PluginError(failure.sentence(), remedy=failure.remedy)
    registry.require(named, f"{path}, plugins")
