"""The image folder of a set: whether a name in an annotation file is the name of a file in it."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path
from typing import Any

from vlpbench.data.sources.json_file import missing
from vlpbench.files import UnsafeName, inside

__all__ = ["Pictures", "id_of"]


def id_of(name: str) -> int:
    """A 62-bit number made from a file name: the same image has the same id in every split."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "replace")).digest()[:8], "big") >> 2


class Pictures:
    """The files of a folder, listed once a sub-folder, since asking the system for each name is slow for large sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listed: dict[str, dict[str, bool]] = {}

    def problem(self, name: Any) -> str | None:
        """What is wrong with an image's file name, or None: no text, leads out of the folder, missing, no file.

        Raises DataError if the folder itself does not exist.
        """
        if not isinstance(name, str) or not name:
            return "names no image file"
        parts = name.split("/")
        if len(parts) <= 2 and all(part not in ("", ".", "..") for part in parts) and self._plain(parts):
            return None
        return self._slowly(name)

    def _plain(self, parts: list[str]) -> bool:
        """Whether the name is that of a regular file, reached through no link."""
        if len(parts) == 2 and self._listing("").get(parts[0]) is not False:
            return False
        return self._listing("" if len(parts) == 1 else parts[0]).get(parts[-1], False)

    def _slowly(self, name: str) -> str | None:
        try:
            path = inside(self.folder, name)
            if path.is_file():
                return None
            there = path.exists()
        except UnsafeName as error:
            return f"image {error}"
        except OSError as error:
            return f"image {name!r} cannot be looked up ({error.strerror})"
        if there:
            return f"image {name!r} is not a file"
        other = self._spelt.get(name.casefold())
        return f"image {name!r} does not exist" + (f" (there is {other!r})" if other else "")

    @functools.cached_property
    def _spelt(self) -> dict[str, str]:
        """Names of the folder by their lower-case form: a wrong case is the commonest slip."""
        return {name.casefold(): name for name in self._listing("")}

    def _listing(self, below: str) -> dict[str, bool]:
        """Entries of a sub-folder that are not links: True for a regular file, False for a folder."""
        if below not in self._listed:
            try:
                with os.scandir(self.folder / below) as entries:
                    found = [entry for entry in entries if not entry.is_symlink()]
                    self._listed[below] = {
                        entry.name: entry.is_file() for entry in found if entry.is_file() or entry.is_dir()
                    }
            except (FileNotFoundError, NotADirectoryError):
                raise missing(self.folder / below) from None
        return self._listed[below]
