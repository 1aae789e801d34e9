"""Where plugins come from: our own modules, installed entry points, and single files."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import Any

from vlpbench import __version__
from vlpbench.files import digest_file
from vlpbench.registry.catalogue import Origin

__all__ = ["BUILT_IN", "GROUP", "Source", "built_in", "installed", "single_files"]

GROUP = "vlpbench"
"""The entry point group of plugins."""

BUILT_IN = ("vlpbench.objectives", "vlpbench.backbones", "vlpbench.data.builtin", "vlpbench.grids",
            "vlpbench.recipes", "vlpbench.runner.launchers")
"""Our own plugins: they come through the same hooks as a stranger's."""


@dataclass(frozen=True)
class Source:
    """One plugin that could be loaded."""

    name: str
    """Name of the entry point, module or file."""
    distribution: str
    """Installed distribution; "" for a single file."""
    version: str
    """Its version."""
    module: str
    """The module it names; "" for a single file."""
    load: Callable[[], Any]
    """Imports it; may raise anything."""
    file: Path | None = None
    """The single file."""
    is_ours: bool = False
    """Whether it is part of this package."""

    def path(self) -> Path | None:
        """The module's file, found without importing it."""
        if self.file is not None:
            return self.file
        loaded = sys.modules.get(self.module)
        origin = getattr(loaded, "__file__", None) if loaded else _origin(self.module)
        return Path(origin) if origin else None

    def origin(self) -> Origin:
        """Distribution, version and the hash of the module's file."""
        path = self.path()
        if path is None or not path.is_file():
            return Origin(self.name, self.distribution, self.version)
        return Origin(self.name, self.distribution, self.version, path.name, digest_file(path))

    def provides(self) -> tuple[str, ...]:
        """Names it seems to bring, told from its text alone: for when it cannot be imported."""
        bare = self.distribution.removeprefix("vlpbench-")
        guesses = {self.name, bare, Path(self.name).stem} - {"", "vlpbench"}
        path = self.path()
        if path is not None and path.is_file():
            guesses.update(_declared_names(path))
        return tuple(sorted(guesses))


def _origin(module: str) -> str | None:
    """The file of a module whose package need not be importable."""
    top, _, rest = module.partition(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or not rest:
        return spec.origin if spec else None
    for folder in spec.submodule_search_locations or ():
        for end in (".py", "/__init__.py"):
            path = Path(folder, *rest.split(".")[:-1], rest.split(".")[-1] + end)
            if path.is_file():
                return str(path)
    return None


def _declared_names(path: Path) -> Iterator[str]:
    """Every `name = "..."` in the classes of a file, also `name, version = "...", 1`."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return
    for cls in ast.walk(tree):
        for node in cls.body if isinstance(cls, ast.ClassDef) else ():
            if isinstance(node, ast.Assign):
                yield from _named(node.targets[0], node.value)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                yield from _named(node.target, node.value)


def _named(target: ast.expr, value: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, worth in zip(target.elts, value.elts, strict=False):
            yield from _named(one, worth)
    elif isinstance(target, ast.Name) and target.id == "name" and isinstance(value, ast.Constant):
        yield str(value.value)


def built_in() -> Iterator[Source]:
    """Our own modules, found by name so that a checkout needs no installation."""
    for module in BUILT_IN:
        yield Source(module, "vlpbench", __version__, module, _importer(module), is_ours=True)


def _importer(module: str) -> Callable[[], Any]:
    return lambda: importlib.import_module(module)


def installed(blocked: Collection[str] = ()) -> Iterator[Source]:
    """Every entry point of the group, in order of distribution and name, but those that are blocked by either."""
    found: dict[tuple[str, str, str], Source] = {}
    for one in distributions():
        name = one.metadata["Name"] or "?"
        for point in one.entry_points.select(group=GROUP):
            if not {name, point.name} & set(blocked):
                key = (name, point.name, point.value)
                found.setdefault(key, Source(point.name, name, one.version, point.module, _loader(point)))
    for key in sorted(found):
        yield found[key]


def _loader(point: EntryPoint) -> Callable[[], Any]:
    return lambda: point.load()


def single_files(files: Sequence[Path]) -> Iterator[Source]:
    """Uninstalled plugins of one file each; the same file named twice counts once."""
    for path in dict.fromkeys(Path(one).resolve() for one in files):
        yield Source(path.name, "", "", "", _file_loader(path), path)


def _file_loader(path: Path) -> Callable[[], Any]:
    """Imports a file under a name of its own. `sys.path` stays as it is, so it cannot import its neighbours."""
    name = f"vlpbench_file_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}_{path.stem}".replace("-", "_")

    def load() -> Any:
        if path.suffix != ".py":
            raise ImportError(f"{path.name} is no Python file")
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    return load
