"""Which code decides a cell's numbers, as hashes: what a plugin's author changed without raising `version` is seen.

Not seen are compiled extensions, and code of distributions that a plugin imports: their versions are in the record's
environment. Of our own rooms those are left out that decide no number of a cell whose settings are known: `cli`,
`config`, `grid`, `records`, `registry`, `results`, `scoring`, `testing`, and what `runner` schedules.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from vlpbench.config.known import backbone_parts
from vlpbench.config.settings import CellSettings
from vlpbench.config.sums import parse_sum
from vlpbench.files import digest, digest_file
from vlpbench.registry.catalogue import Registry

__all__ = ["ROOMS", "code_of", "code_of_class"]

_HOME = Path(__file__).parents[1]

_RUNNER = ("batches", "finetuning", "pretraining", "trials", "tuning", "validation", "workbench")

ROOMS: Mapping[str, tuple[str, ...]] = {
    "vlpbench/contract": ("contract/**/*.py",),
    "vlpbench/data": ("data/*.py",),
    "vlpbench/device": ("device.py",),
    "vlpbench/metrics": ("metrics/**/*.py",),
    "vlpbench/parts": ("parts/**/*.py",),
    "vlpbench/runner": tuple(f"runner/{name}.py" for name in _RUNNER),
    "vlpbench/streams": ("streams.py",),
    "vlpbench/tasks": ("tasks/**/*.py",),
    "vlpbench/training": ("training/**/*.py",),
    "vlpbench/types": ("types.py",),
}
"""Our own code that decides every cell's numbers: name -> patterns of files in the package's folder."""

_COMPONENTS = ("objectives", "backbones", "data/worlds", "data/sources")
"""Our folders of components: each is hashed with those of its neighbours that it imports, not with all of them."""

_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]+)|import[ \t]+([^\n]+))", re.M)


def code_of(settings: CellSettings, registry: Registry) -> dict[str, str]:
    """Component -> SHA-256 of the code that decides a cell's numbers, as it was when it was loaded.

    Components are "objective NAME", "stem NAME", "trunk NAME", "data KIND" and our own rooms ("vlpbench/training").
    """
    stem, trunk, _ = backbone_parts(settings.backbone)
    asked = [("objective", name) for _, name in parse_sum(settings.objective)]
    asked += [("stem", stem.partition(":")[0]), ("trunk", trunk)]
    asked += [("data set", str(source["kind"])) for source in settings.sources.values()]
    found = {f"{kind.removesuffix(' set')} {name}": registry.origin(kind, name).sha256 for kind, name in asked}
    return dict(sorted((found | _rooms()).items()))


def code_of_class(cls: type, distributed_by: str = "") -> str:
    """The SHA-256 of the code of one component's class.

    Of an installed distribution these are all its Python files (where it is installed for editing, those of the
    class's package), of a single file the modules beside it that it imports, too, and so it is for our own. Classes of
    ours that it is derived from count.
    """
    files = _files_of(cls.__module__, distributed_by)
    for base in cls.__mro__[1:]:
        if base.__module__.startswith("vlpbench."):
            files |= _files_of(base.__module__, "vlpbench")
    return _digest(files) if files else digest([cls.__module__, cls.__qualname__, distributed_by])


@functools.cache
def _rooms() -> dict[str, str]:
    return {
        room: _digest({path.relative_to(_HOME).as_posix(): path for one in patterns for path in _HOME.glob(one)})
        for room, patterns in ROOMS.items()
    }


def _digest(files: Mapping[str, Path]) -> str:
    """The SHA-256 of files with their names; where the folder is does not matter."""
    return digest({name: digest_file(path) for name, path in files.items()})


def _files_of(module: str, distributed_by: str) -> dict[str, Path]:
    """The files that belong to a module's code, by name; none for a room's module, and where there are no files."""
    if module.startswith("vlpbench."):
        return _imported(module, _ours().get)
    start = _file_of(module)
    if start is None:
        return {}
    if not distributed_by:
        return _imported(start.stem, _beside(start))
    listed = _listed(distributed_by)
    if start.resolve() in {path.resolve() for path in listed.values()}:
        return listed
    return _package(module)


def _file_of(module: str) -> Path | None:
    name = getattr(sys.modules.get(module), "__file__", None)
    return Path(name) if name and Path(name).is_file() else None


@functools.cache
def _ours() -> dict[str, Path]:
    """Our modules of components by dotted name, without the packages' own files, which only list them."""
    return {
        ".".join(("vlpbench", *path.relative_to(_HOME).with_suffix("").parts)): path
        for folder in _COMPONENTS for path in (_HOME / folder).glob("*.py") if path.stem != "__init__"
    }


def _beside(start: Path) -> Callable[[str], Path | None]:
    """Finds modules that lie beside a file, the file itself included."""

    def find(name: str) -> Path | None:
        path = start.parent.joinpath(*name.split(".")).with_suffix(".py")
        return path if path.is_file() else None

    return find


def _listed(name: str) -> dict[str, Path]:
    """All Python files that an installed distribution says are its own."""
    try:
        files = distribution(name).files or ()
    except PackageNotFoundError:
        return {}
    found = {str(one): Path(str(one.locate())) for one in files if one.suffix == ".py"}
    return {name: path for name, path in found.items() if path.is_file()}


def _package(module: str) -> dict[str, Path]:
    """All Python files of a module's outermost package; of a module outside of packages, it and what it imports beside.

    A namespace package, which many distributions share, is passed through.
    """
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        start = _file_of(name)
        if start is not None and start.stem == "__init__":
            return {f"{name}/{path.relative_to(start.parent).as_posix()}": path for path in start.parent.rglob("*.py")}
        if start is not None:
            return _imported(start.stem, _beside(start))
    return {}


def _imported(start: str, find: Callable[[str], Path | None]) -> dict[str, Path]:
    """A module and all that it imports and `find` knows, directly or not, by dotted name."""
    found: dict[str, Path] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        path = find(name)
        if path is not None and name not in found:
            found[name] = path
            stamp = path.stat()
            waiting += _imports(path, stamp.st_mtime_ns, stamp.st_size)
    return found


@functools.cache
def _imports(path: Path, _time: int, _size: int) -> tuple[str, ...]:
    """Dotted names that a file may import, told from its text: of `from a import b` both `a` and `a.b`.

    Time and size are there so that a changed file is read anew.
    """
    found: dict[str, None] = {}
    for origin, names, plain in _IMPORT.findall(path.read_text(encoding="utf-8", errors="replace")):
        for name in _names(names or plain):
            found |= dict.fromkeys((origin, f"{origin}.{name}") if origin else (name,))
    return tuple(found)


def _names(listed: str) -> Iterator[str]:
    """The names in `(a, b as c)`, without comments."""
    bare = re.sub(r"#[^\n]*", "", listed).strip("() \t\n")
    yield from _first_words(bare.split(","))


def _first_words(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        words = part.split()
        if words:
            yield words[0]
