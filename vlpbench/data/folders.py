"""Where data and caches are on this machine; neither place is part of a cell's id."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["cache_folder", "data_root", "use_data_root"]


def data_root() -> Path:
    """The folder that the sets of a grid are relative to: VLPBENCH_DATA, else the cache folder."""
    named = os.environ.get("VLPBENCH_DATA", "")
    return Path(named).expanduser().absolute() if named else cache_folder()


def use_data_root(folder: Path) -> None:
    """Make `folder` the data folder of this process and of those that it starts (the setting `data.root`)."""
    os.environ["VLPBENCH_DATA"] = str(folder.expanduser().absolute())


def cache_folder() -> Path:
    """A folder that may be deleted at any time: VLPBENCH_CACHE, else `vlpbench` in the user's cache folder."""
    named = os.environ.get("VLPBENCH_CACHE", "")
    return Path(named).expanduser().absolute() if named else _user_cache() / "vlpbench"


def _user_cache() -> Path:
    """The user's cache folder as the platform has it; a relative XDG_CACHE_HOME is ignored, as XDG demands."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    if given and Path(given).is_absolute():
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path.home() / ".cache"
