"""Where the picture files of a set are: files in a folder, or members of larger ones; read and hashed alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vlpbench.contract.dataset import Archive, Dataset
from vlpbench.data.fingerprint import file_digests
from vlpbench.files import inside

__all__ = ["Held", "held_by", "picture_digests", "picture_file", "safe_picture_file"]

Held = Path | Archive
"""A folder of picture files, or what holds them."""


def held_by(dataset: Dataset) -> Held:
    """What holds the pictures of a data set."""
    return dataset.archive or dataset.images


def picture_file(held: Held, name: str) -> Path | bytes:
    """Where a picture file lies, or its bytes: what decoders take."""
    return held / name if isinstance(held, Path) else held.read(name)


def safe_picture_file(held: Held, name: str) -> Path | bytes:
    """The same of a name that nobody has looked at; UnsafeName where it leads out of the folder."""
    return inside(held, name) if isinstance(held, Path) else held.read(name)


def picture_digests(held: Held, names: Sequence[str], cache: Path) -> dict[str, str]:
    """The SHA-256 of each picture file, in the order of `names`. DataError if one cannot be read."""
    return file_digests(held, names, cache) if isinstance(held, Path) else dict(held.digests(names))
