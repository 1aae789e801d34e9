"""A new plugin, rendered from the template: a whole package, or the module alone as a single file.

The template has what all packages share in `package`, and in a folder of each kind what is its own: module, tests, a
grid, and `words.toml`, which says what stands for the words EXAMPLE_... in the shared files. It is a package as it
stands but for these words, so what is rendered is what is tested: no template language, only words replaced.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import vlpbench
from vlpbench.errors import UserError, unknown
from vlpbench.files import write_text
from vlpbench.registry.catalogue import Registry
from vlpbench.registry.new_name import NEW_KINDS, check_free, check_name, class_of, file_module_of

__all__ = ["NewPlugin", "new_file", "new_package", "template"]

_MODULE = "src/vlpbench_example/__init__.py"
_WORDS = "words.toml"


@dataclass(frozen=True)
class NewPlugin:
    """What was written."""

    path: Path
    """The package's folder, or the single file."""
    files: tuple[str, ...]
    """The files in the folder, relative to it, sorted; none for a single file."""
    tries: tuple[str, ...]
    """The commands, one a line, that try it in a grid from within the folder; none for a single file."""
    settings: str
    """What a grid file says to use it (TOML)."""


def template() -> Path:
    """The template's folder: in an installed vlpbench inside the package, in a checkout beside it.

    Raises UserError if it is in neither.
    """
    (home,) = map(Path, vlpbench.__path__)
    for folder in (home / "plugin_template", home.parent / "plugins" / "_template"):
        if (folder / "package").is_dir():
            return folder
    raise UserError("the template of plugins is missing", str(home), "install vlpbench again")


def new_package(kind: str, name: str, folder: Path, registry: Registry) -> NewPlugin:
    """Write `folder`/vlpbench-NAME, whole or not at all; UserError for what is no free name, or is there already.

    `kind` is one of NEW_KINDS; `folder` is made if it is missing; `registry` knows the names that are taken.
    """
    _check(kind, name, registry)
    distribution = f"vlpbench-{name}"
    _check_not_installed(name, distribution, registry)
    files = _rendered(kind, name)
    path = folder / distribution
    _refuse_to_overwrite(path)
    try:
        _write_folder(path, files)
    except OSError as wrong:
        raise _unwritable(path, wrong) from wrong
    words = _words(kind, name)
    tries = tuple(line for line in words["EXAMPLE_TRY"].splitlines() if "--dry-run" not in line)
    return NewPlugin(path, tuple(sorted(files)), tries, words["EXAMPLE_SETTINGS"])


def new_file(kind: str, name: str, folder: Path, registry: Registry) -> NewPlugin:
    """Write the module alone, as a file that `vlpbench -p` loads; UserError as for a package."""
    _check(kind, name, registry)
    path = folder / f"{file_module_of(name)}.py"
    text = _replaced((template() / kind / _MODULE).read_text(encoding="utf-8"), _names(kind, name))
    _refuse_to_overwrite(path)
    try:
        write_text(path, text)
    except OSError as wrong:
        raise _unwritable(path, wrong) from wrong
    return NewPlugin(path, (), (), _words(kind, name)["EXAMPLE_SETTINGS"])


def _check(kind: str, name: str, registry: Registry) -> None:
    if kind not in NEW_KINDS:
        raise unknown("kind of plugin", kind, NEW_KINDS)
    check_name(name)
    check_free(kind, name, registry)


def _check_not_installed(name: str, distribution: str, registry: Registry) -> None:
    """Two packages of one name cannot be installed side by side, and two entry points of one name are not loaded."""
    owners = [(one.name, one.origin.distribution) for one in registry.plugins]
    for point, owner in [*owners, *((one.name, one.distribution) for one in registry.failures)]:
        if owner and (owner == distribution or point == name):
            raise UserError(f"a plugin {point!r} is installed already, by {owner}", "",
                            f'take another name, such as "my-{name}", or pip uninstall {owner}')


def _rendered(kind: str, name: str) -> dict[str, str]:
    """Path (with forward slashes, relative to the package) and text of every file."""
    words = {**_names(kind, name), **_words(kind, name)}
    return {
        _replaced(_dotted(path), words): _replaced(text, words)
        for part in ("package", kind) for path, text in _read(template() / part) if path != _WORDS
    }


def _read(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")


def _dotted(path: str) -> str:
    """Hidden files are not hidden in the template, where a .gitignore would be obeyed: "dot-" stands for the dot."""
    return re.sub(r"(^|/)dot-", r"\1.", path)


def _names(kind: str, name: str) -> Mapping[str, str]:
    """What stands for each name of the template."""
    modules = "\n".join(text for path, text in _read(template() / kind) if path.endswith(".py"))
    theirs = f"Example{kind.capitalize()}"
    used = set(re.findall(r"\w+", modules)) - {theirs}
    return {
        "vlpbench-example": f"vlpbench-{name}",
        "vlpbench_example": f"vlpbench_{name.replace('-', '_')}",
        "example-name": name,
        f"example-{kind}": name,
        theirs: class_of(kind, name, used),
        "vlpbench>=0.0.0": f"vlpbench>={vlpbench.__version__.partition('+')[0]}",
    }


def _words(kind: str, name: str) -> dict[str, str]:
    """What the shared files say of this kind."""
    said = tomllib.loads((template() / kind / _WORDS).read_text(encoding="utf-8"))
    return {key: _replaced(text.strip(), _names(kind, name)) for key, text in said.items()}


def _replaced(text: str, words: Mapping[str, str]) -> str:
    """All words replaced at once, so that none is looked for in what stands for another."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: words[found[0]], text)


def _refuse_to_overwrite(path: Path) -> None:
    if path.exists() or path.is_symlink():
        what = "folder" if path.is_dir() else "file"
        raise UserError(f"there is a {what} {path.name!r} already, and nothing is overwritten", str(path),
                        "take another name, move it away, or name another folder: --out FOLDER")


def _unwritable(path: Path, wrong: OSError) -> UserError:
    return UserError(f"{path.name!r} cannot be written: {wrong.strerror}", str(path.parent),
                     "name a folder that you may write to: --out FOLDER")


def _write_folder(path: Path, files: Mapping[str, str]) -> None:
    """Write a folder of files under a temporary name beside `path`, then give it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        for name, text in files.items():
            write_text(half / name, text)
        half.chmod(0o755)
        half.rename(path)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
