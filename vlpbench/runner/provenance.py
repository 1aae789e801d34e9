"""Where numbers come from: versions, commits, command and machine, without the name of any person or host."""

from __future__ import annotations

import getpass
import hashlib
import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vlpbench import __version__
from vlpbench.device import Device, environment
from vlpbench.registry import Registry

__all__ = ["of_device", "provenance", "unnamed"]

_PACKAGES = (
    "torch", "torchvision", "timm", "numpy", "pandas", "tokenizers", "safetensors", "pyarrow", "scipy",
    "scikit-learn", "pycocotools", "pycocoevalcap",
)
"""Distributions whose versions may decide a number."""

_PATIENCE = 2.0
"""Seconds that git may take; a slower one is left out."""

_WATCHED = ("*.py", "*.toml")
"""Files of a repository that decide numbers; others may be changed in a clean one."""

_NOBODY = frozenset({"", "root", "localhost"})
"""Names of users and hosts that are anybody's."""

_ABSOLUTE = re.compile(r"(?<![\w.~/\\-])(?:~|/(?!/))[^\s'\",;:=\[\]{}()]*")
"""A path inside other text: it begins with a slash or the home folder's sign, and holds no blank."""


def provenance(command: Sequence[str], grid_file: Path | None, registry: Registry) -> dict[str, Any]:
    """What a record says of the run it is from; the same for all cells, so the parent computes it once.

    `command`: the words that were typed. Keys: "versions", "plugins", "git" (of "vlpbench" and of the "grid" file's
    folder, where they are repositories), "command" (paths relative), "started" (UTC).
    """
    found = {
        "versions": {"vlpbench": __version__, "python": platform.python_version(), **_versions()},
        "plugins": _plugins(registry),
        "command": _typed(command),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    commits = _commits(grid_file)
    return found | ({"git": commits} if commits else {})


def of_device(device: Device) -> dict[str, str]:
    """What a record says of the machine a cell ran on: `environment`, and `host`, equal on the same machine alone."""
    return {**environment(device), "host": _host()}


def unnamed(text: str) -> str:
    """A text (a traceback, a message) without the home folder and without the names of user and host."""
    home = str(Path.home())
    if len(home) > 1:
        text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
    for name, word in _names().items():
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", word, text, flags=re.IGNORECASE)
    return text


def _names() -> dict[str, str]:
    """What must not be written, and what is written instead."""
    host = platform.node()
    found = {host: "HOST", host.partition(".")[0]: "HOST", Path.home().name: "USER", _user(): "USER"}
    return {name: word for name, word in found.items() if name.lower() not in _NOBODY}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process without an entry in the list of users, as in some containers
        return ""


def _host() -> str:
    """Twelve hexadecimal digits: of the host's name, and of the machine's own id, which nobody can guess."""
    path = Path("/etc/machine-id")
    own = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    return hashlib.sha256(f"{platform.node()}\n{own}".encode()).hexdigest()[:12]


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _plugins(registry: Registry) -> dict[str, str]:
    """Version of each distribution that brought a plugin; of a single file the beginning of its hash."""
    found = {}
    for one in registry.plugins:
        origin = one.origin
        if origin.distribution:
            found[origin.distribution] = origin.version
        else:
            found[unnamed(origin.plugin)] = f"sha256 {origin.sha256[:12]}"
    found.pop("vlpbench", None)
    return dict(sorted(found.items()))


def _typed(command: Sequence[str]) -> str:
    """The command as one line: no absolute path, no name."""
    return " ".join(map(_word, command))


def _word(word: str) -> str:
    """One word: a path that begins in the working folder is told from there, of one elsewhere its last name."""
    key, is_setting, value = word.rpartition("=")
    if re.match(r"-\w[/~]", value):  # -p/a/b.py
        key, value = value[:2], value[2:]
    shown = _path(value) if value.startswith(("/", "~")) else _ABSOLUTE.sub(lambda found: _path(found[0]), value)
    shown = f"{key}{is_setting}{unnamed(shown)}"
    return f"'{shown}'" if re.search(r"[\s\"]", shown) and "'" not in shown else shown


def _path(text: str) -> str:
    path = Path(text)
    if text.startswith("/") and path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return f"…/{path.name}"


def _commits(grid_file: Path | None) -> dict[str, Mapping[str, Any]]:
    """The commits of our own checkout, where this is one, and of the grid file's repository."""
    package = Path(__file__).parents[1]
    folders = {"vlpbench": package} if (package.parent / ".git").exists() else {}
    if grid_file is not None and grid_file.is_file() and package not in grid_file.resolve().parents:
        folders["grid"] = grid_file.resolve().parent
    found = {name: _commit(folder) for name, folder in folders.items()}
    return {name: said for name, said in found.items() if said}


def _commit(folder: Path) -> dict[str, Any]:
    """Commit, and whether files that decide numbers differ from it; nothing where git does not tell."""
    asked = ("git", "status", "--porcelain=v2", "--branch", "--untracked-files=all", "--", *_WATCHED)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # of a hook, say
    kept |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(asked, cwd=folder, env=kept, timeout=_PATIENCE, capture_output=True, text=True,
                              errors="replace", check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    lines = done.stdout.splitlines()
    commit = next((line.split()[2] for line in lines if line.startswith("# branch.oid ")), "")
    if done.returncode or not re.fullmatch(r"[0-9a-f]{40,64}", commit):  # not a repository, or one without commits
        return {}
    return {"commit": commit, "dirty": any(not line.startswith("#") for line in lines)}
