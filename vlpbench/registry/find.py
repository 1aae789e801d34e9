"""Where plugins come from: our own modules, installed entry points, and single files. Nothing is imported here."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any

from vlpbench import __version__
from vlpbench.files import digest_file
from vlpbench.registry.guessing import Guess, guesses
from vlpbench.registry.standing import LeftOut, Origin, Unfit, who
from vlpbench.registry.switches import ALLOWED, is_named, normal

__all__ = ["BUILT_IN", "GROUP", "Source", "built_in", "chosen", "installed", "single_files"]

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

    @property
    def who(self) -> str:
        """Its distribution with version; of a single file, the file."""
        return who(self.name, self.distribution, self.version)

    def path(self) -> Path | None:
        """The module's file, found without importing it."""
        return self.file or _file_of(self.module)

    def home(self) -> Path | None:
        """The file, or the folder of the outermost package, in which the plugin's own code lies."""
        path = self.file or _file_of(self.module.partition(".")[0]) or self.path()
        return path.parent if path is not None and path.name == "__init__.py" else path

    def origin(self) -> Origin:
        """Distribution, version and the hash of the module's file."""
        path = self.path()
        if path is None or not path.is_file():
            return Origin(self.name, self.distribution, self.version)
        return Origin(self.name, self.distribution, self.version, path.name, digest_file(path))

    def guesses(self) -> tuple[Guess, ...]:
        """What it seems to bring, told from its files alone."""
        home = self.home()
        if home is None or not home.exists():
            return ()
        return guesses(home / "__init__.py" if home.is_dir() else home)

    def provides(self) -> tuple[str, ...]:
        """Names it may bring, for when it cannot be imported; its own and its distribution's are among them."""
        bare = self.distribution.removeprefix("vlpbench-")
        named = {self.name, bare, Path(self.name).stem} - {"", "vlpbench"}
        return tuple(sorted(named.union(one.name for one in self.guesses())))


def _file_of(module: str) -> Path | None:
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None) if loaded else _origin(module)
    return Path(file) if file else None


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


def built_in() -> Iterator[Source]:
    """Our own modules, found by name so that a checkout needs no installation."""
    for module in BUILT_IN:
        yield Source(module, "vlpbench", __version__, module, _importer(module), is_ours=True)


def _importer(module: str) -> Callable[[], Any]:
    return lambda: importlib.import_module(module)


def installed() -> Iterator[Source]:
    """Every entry point of the group, in order of distribution and name.

    Of a distribution that is found twice it is the one that Python would import.
    """
    found: dict[tuple[str, str], Source] = {}
    homes: dict[str, Distribution] = {}
    for one in distributions():
        for source in _points_of(one):
            if homes.setdefault(normal(source.distribution), one) is one:
                found.setdefault((source.distribution, source.name), source)
    for key in sorted(found):
        yield found[key]


def _points_of(one: Distribution) -> Iterator[Source]:
    """The plugins of one distribution; where its metadata are broken, plugins that cannot be loaded for that reason."""
    text = one.read_text("entry_points.txt") or ""
    if not re.search(rf"^\s*\[\s*{GROUP}\s*\]", text, re.M):
        return
    folder = Path(str(getattr(one, "_path", "?")))  # no public name says where a distribution's metadata are
    stem = re.sub(r"\.(dist|egg)-info$", "", folder.name)
    guess, _, guessed_version = stem.partition("-")
    try:
        told = {key: one.metadata[key] for key in one.metadata}
        name, version = told.get("Name"), told.get("Version")
        points = [(point, point.module) for point in one.entry_points.select(group=GROUP)]
    except Exception as wrong:  # noqa: BLE001 (a file that anybody may have written)
        yield _unreadable(guess, guessed_version, f"{folder.name} cannot be read: {type(wrong).__name__}: {wrong}")
        return
    for point, module in points:
        if name:
            yield Source(point.name, name, version or guessed_version, module, _loader(point))
        else:
            cause = f"{folder.name} does not say the distribution's Name"
            yield _unreadable(guess, guessed_version, cause, point.name, module)


def _unreadable(guess: str, version: str, cause: str, name: str = "", module: str = "") -> Source:
    distribution = normal(guess)
    wrong = Unfit(f"the metadata are broken: {cause}", f"pip install --force-reinstall {distribution}")

    def load() -> Any:
        raise wrong

    return Source(name or distribution, distribution, version, module, load)


def _loader(point: EntryPoint) -> Callable[[], Any]:
    return lambda: point.load()


def chosen(
    sources: Iterable[Source], blocked: Collection[str], among: Collection[str] | None
) -> tuple[list[Source], list[LeftOut]]:
    """Installed plugins without those that are `blocked`, or not `among` those allowed (None: all are); and these."""
    kept, left = [], []
    for one in sources:
        if is_named(blocked, one.name, one.distribution):
            by = "--no-plugin"
        elif among is not None and not is_named(among, one.name, one.distribution):
            by = ALLOWED
        else:
            kept.append(one)
            continue
        left.append(LeftOut(one.name, one.distribution, one.version, by, one.provides()))
    return kept, left


def single_files(files: Sequence[Path]) -> Iterator[Source]:
    """Uninstalled plugins of one file each; the same file named twice counts once."""
    for path in dict.fromkeys(Path(one).resolve() for one in files):
        yield Source(path.name, "", "", "", _file_loader(path), path)


def _file_loader(path: Path) -> Callable[[], Any]:
    """Imports a file under a name of its own. `sys.path` stays as it is, so it cannot import its neighbours."""
    name = f"vlpbench_file_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}_{path.stem}".replace("-", "_")

    def load() -> Any:
        if path.is_dir():
            raise Unfit(f"{path.name} is a folder", "name one file; a plugin of several is a package: pip install it")
        if not path.is_file():
            remedy = "check the path; it is relative to the folder you are in, in a grid file to that file"
            raise Unfit(f"there is no file {path}", remedy)
        if path.suffix != ".py":
            raise Unfit(f"{path.name} is no Python file", "name a file that ends in .py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None, path  # a .py file has a loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    return load
